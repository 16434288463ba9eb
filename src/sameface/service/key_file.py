"""API keys: made once, shown once, stored hashed, compared in constant time.

A key is ``sf_<id>_<secret>``. The secret is 256 bits of the system's randomness, so one SHA-256 is enough to store it: there is no
dictionary to try, which is what slow password hashes are for.

Who changes the file takes a lock beside it and reads it again first, so that keys made and revoked at the same moment are all kept and all gone.
Each change is a line in the audit trail beside it.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, get_args

import msgspec

from sameface import file_locks
from sameface.errors import KeyFileError, NotAuthenticatedError, SettingError
from sameface.files import atomic_write, writing
from sameface.plain import known
from sameface.service.audit import AuditTrail
from sameface.service.keys import ALL_GALLERIES, Caller, Role

_KEY: Final = re.compile(r"sf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")
#: Of the file's format: 1 was a bare list of keys.
_SCHEMA: Final = 2
#: A file changed less than this long ago may change again within the same stamp, so it is read again.
_FRESH_SECONDS: Final = 2.0


class StoredKey(msgspec.Struct, frozen=True):
    """A key as the file holds it; the secret itself is nowhere.

    Attributes:
        expires: moment from which it is refused, UTC, "" for never.
        rate, burst: requests per second and at once, None for the service's own.
    """

    id: str
    sha256: str
    role: Role
    galleries: tuple[str, ...]
    note: str
    created: str
    expires: str = ""
    rate: float | None = None
    burst: int | None = None

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires != "" and datetime.fromisoformat(self.expires) <= now


class _Contents(msgspec.Struct):
    schema: int
    keys: list[StoredKey]


class KeyFile:
    """The keys in one JSON file, read again whenever the file changes. Safe to use from several threads and processes.

    Args:
        path: where the file is or will be; written with mode 0600.
        clock: the time.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._keys: dict[str, StoredKey] = {}

    def check(self) -> str:
        """What is wrong with the file without being fatal, as a sentence; "" for nothing.

        Raises:
            KeyFileError: it is not there, is no file of keys, or others may write it.
        """
        with self._lock:
            self._refresh(must_exist=True)
        mode = self.path.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyFileError(
                expected=f"a file of keys that only its owner may write, at {self.path}",
                got=f"mode {stat.S_IMODE(mode):04o}",
                advice=f"run `chmod 600 {self.path}` and look whether its keys are still yours",
            )
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            return f"others on this machine may read {self.path}: run `chmod 600 {self.path}`"
        return ""

    def keys(self) -> list[StoredKey]:
        """Every key, oldest first; none where there is no file.

        Raises:
            KeyFileError: the file is not one of keys, or cannot be read.
        """
        with self._lock:
            self._refresh()
            return list(self._keys.values())

    def add(
        self,
        role: str,
        galleries: tuple[str, ...] = ALL_GALLERIES,
        note: str = "",
        *,
        expires: datetime | None = None,
        rate: float | None = None,
        burst: int | None = None,
    ) -> tuple[str, StoredKey]:
        """Make a key.

        Returns:
            The key, to be handed over now (it cannot be shown again), and what was stored.
        """
        if role not in get_args(Role):
            raise SettingError(
                expected=f"a role among {', '.join(get_args(Role))}", got=repr(role), advice="choose one of those"
            )
        if not galleries:
            raise SettingError(expected="at least one gallery", got="none", advice="name galleries, or * for all")
        for text in (note, *galleries):
            if text.encode("utf-8", "replace").decode() != text:  # bytes of the shell that are none
                raise SettingError(
                    expected="a note and names of galleries in UTF-8", got=repr(text), advice="type them again"
                )
        if (rate is not None and not 0 < rate < float("inf")) or (burst is not None and burst < 1):
            raise SettingError(expected="a rate above 0", got=f"rate {rate}, burst {burst}", advice="raise it")
        key, stored = _made(
            StoredKey("", "", role, galleries, note, "", _text(expires), rate, burst),  # type: ignore[arg-type]
            self._clock(),
        )
        with self._changing() as keys:
            keys[stored.id] = stored
        self._note("add key", stored.id)
        return key, stored

    def rotate(self, identity: str, overlap: timedelta) -> tuple[str, StoredKey]:
        """Make a new key like an old one; the old one is refused when the overlap is over.

        Raises:
            SettingError: no key of that id, or an overlap below 0.
        """
        if overlap < timedelta(0):
            raise SettingError(expected="an overlap of at least 0", got=str(overlap), advice="give 0 or more")
        with self._changing() as keys:
            old = self._known(keys, identity)
            end = self._clock() + overlap
            ends = old.expires if old.expires and datetime.fromisoformat(old.expires) < end else _text(end)
            key, stored = _made(msgspec.structs.replace(old, expires=""), self._clock())
            keys[identity] = msgspec.structs.replace(old, expires=ends)
            keys[stored.id] = stored
        self._note("rotate key", identity)
        self._note("add key", stored.id)
        return key, stored

    def revoke(self, identity: str) -> None:
        """Take a key away; running services refuse it from the next request on.

        Raises:
            SettingError: no key of that id.
        """
        with self._changing() as keys:
            self._known(keys, identity)
            del keys[identity]
        self._note("revoke key", identity)

    def caller(self, key: str) -> Caller:
        """Who a key belongs to.

        Raises:
            NotAuthenticatedError: no such key, or its time is over; the words do not say whether its id exists.
            KeyFileError: the file is gone or damaged: nobody can be let in.
        """
        match = _KEY.match(key)
        with self._lock:
            self._refresh(must_exist=True)
            stored = self._keys.get(match[1]) if match else None
        expected = stored.sha256 if stored else _NOBODY
        given = _digest(match[2] if match else "")
        # Compared even when the id is unknown, so that the time tells nothing.
        if not hmac.compare_digest(expected, given) or stored is None or stored.expired(self._clock()):
            raise NotAuthenticatedError(
                expected="a valid key",
                got="an unknown, expired or revoked one",
                advice="ask whoever runs the service for a new one",
            )
        return Caller(stored.id, stored.role, stored.galleries, stored.rate, stored.burst)

    def _known(self, keys: dict[str, StoredKey], identity: str) -> StoredKey:
        if identity not in keys:
            raise SettingError(expected="the id of a key", got=repr(identity), advice="see `sameface keys list`")
        return keys[identity]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, StoredKey]]:
        """The keys as they are now, to be changed by nobody else meanwhile; written when the block ends well."""
        if self.path.is_dir():
            raise self._unusable("a folder")
        beside = self.path.parent / f"{self.path.name}.lock"
        with self._lock, writing(self.path, "no key was changed"), file_locks.turn_at(beside, keep=self.path.exists):
            self._stamp = None  # what another process wrote may look like what was read
            self._refresh()
            keys = dict(self._keys)
            yield keys
            contents = msgspec.json.encode(_Contents(_SCHEMA, list(keys.values())))
            with atomic_write(self.path) as part:
                part.write_bytes(msgspec.json.format(contents, indent=1) + b"\n")
                os.chmod(part, 0o600)  # noqa: PTH101
            self._stamp = None
            self._refresh()

    def _refresh(self, *, must_exist: bool = False) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            if must_exist:
                raise self._unusable("nothing there") from None
            return
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)
        if stamp == self._stamp:
            return
        try:
            keys = _read(self.path.read_bytes())
        except (OSError, ValueError) as error:
            self._stamp = None
            raise self._unusable(str(error) if isinstance(error, OSError) else "something else") from error
        fresh = abs(time.time() - status.st_mtime) < _FRESH_SECONDS
        self._stamp, self._keys = None if fresh else stamp, {key.id: key for key in keys}

    def _unusable(self, got: str) -> KeyFileError:
        return KeyFileError(
            expected=f"a file of keys at {self.path}",
            got=got,
            advice="restore it, or make a key with `sameface keys add`",
        )

    def _note(self, action: str, identity: str) -> None:
        trail = AuditTrail(self.path.parent / f"{self.path.name}.audit.jsonl")
        trail.note(action, request_id="", key=identity, address=_user())
        trail.close()


def _read(data: bytes) -> list[StoredKey]:
    """Keys of any schema so far. Raises ValueError for anything else."""
    if data.lstrip().startswith(b"["):
        return msgspec.json.decode(data, type=known(list[StoredKey]))
    contents = msgspec.json.decode(data, type=known(_Contents))
    if contents.schema != _SCHEMA:
        raise ValueError(f"schema {contents.schema}")
    for key in contents.keys:
        key.expired(datetime.now(UTC))  # a moment that is none
    return contents.keys


def _made(like: StoredKey, now: datetime) -> tuple[str, StoredKey]:
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    stored = msgspec.structs.replace(like, id=identity, sha256=_digest(secret), created=_text(now))
    return f"sf_{identity}_{secret}", stored


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError, ImportError):  # no name for this uid, as in a container
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "user unknown"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


#: What an unknown id is compared with: the digest of nothing anybody can send.
_NOBODY: Final = _digest(secrets.token_urlsafe(32))

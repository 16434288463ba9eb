"""API keys: made once, shown once, stored hashed, compared in constant time.

A key is ``sf_<id>_<secret>``. The secret is 256 bits of the system's randomness, so one SHA-256 is enough to store it: there is no
dictionary to try, which is what slow password hashes are for.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from sameface.errors import NotAllowedError, NotAuthenticatedError, SettingError
from sameface.files import atomic_write

Role = Literal["admin", "enroll", "identify", "read"]
#: What a caller wants to do. ``see``: lists, models, policy. ``ask``: detect, verify, identify. ``write``: enroll, rename.
#: ``erase``: forget. ``rule``: make and delete galleries, read raw embeddings.
Action = Literal["see", "ask", "write", "erase", "rule"]

ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    "read": frozenset({"see"}),
    "identify": frozenset({"see", "ask"}),
    "enroll": frozenset({"see", "ask", "write", "erase"}),
    "admin": frozenset({"see", "ask", "write", "erase", "rule"}),
}
#: Scope of a key for every gallery, those to come included.
ALL_GALLERIES: Final = ("*",)
_KEY: Final = re.compile(r"sf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")


class StoredKey(msgspec.Struct, frozen=True):
    """A key as the file holds it; the secret itself is nowhere."""

    id: str
    sha256: str
    role: Role
    galleries: tuple[str, ...]
    note: str
    created: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do.

    Attributes:
        key_id: names the key in logs; "" for the open door on loopback.
    """

    key_id: str
    role: Role
    galleries: tuple[str, ...]

    def require(self, action: Action, gallery: str | None = None) -> None:
        """Raise unless this caller may do that there; None asks for something outside any gallery.

        Raises:
            NotAllowedError: role or scope is too small. The same words whether or not the gallery exists.
        """
        if not self.may(action):
            raise NotAllowedError(
                expected=f"a key that may {_WORDS[action]}",
                got=f"a key of role {self.role}",
                advice="ask the admin for another key",
            )
        if gallery is not None and not self.sees(gallery):
            raise NotAllowedError(
                expected=f"a key for the gallery {gallery!r}",
                got="a key for others",
                advice="ask the admin for another key",
            )

    def may(self, action: Action) -> bool:
        """Whether the role covers an action, wherever."""
        return action in ALLOWED[self.role]

    def sees(self, gallery: str) -> bool:
        """Whether a gallery is within the key's scope."""
        return self.galleries == ALL_GALLERIES or gallery in self.galleries


_WORDS: Final[dict[Action, str]] = {
    "see": "read",
    "ask": "verify and identify",
    "write": "enroll",
    "erase": "forget people",
    "rule": "administer",
}
#: Without keys, on loopback only.
OPEN_DOOR: Final = Caller("", "admin", ALL_GALLERIES)


class KeyFile:
    """The keys in one JSON file, read again whenever the file changes. Safe to use from several threads.

    Args:
        path: where the file is or will be; written with mode 0600.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str, StoredKey] = {}

    def keys(self) -> list[StoredKey]:
        """Every key, oldest first.

        Raises:
            SettingError: the file is not one of keys, or cannot be read.
        """
        with self._lock:
            self._refresh()
            return list(self._keys.values())

    def add(self, role: str, galleries: tuple[str, ...] = ALL_GALLERIES, note: str = "") -> tuple[str, StoredKey]:
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
        identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        stored = StoredKey(
            id=identity,
            sha256=_digest(secret),
            role=role,  # type: ignore[arg-type]  # checked above
            galleries=galleries,
            note=note,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with self._lock:
            self._refresh()
            self._write([*self._keys.values(), stored])
        return f"sf_{identity}_{secret}", stored

    def revoke(self, identity: str) -> None:
        """Take a key away; running services refuse it from the next request on.

        Raises:
            SettingError: no key of that id.
        """
        with self._lock:
            self._refresh()
            if identity not in self._keys:
                raise SettingError(expected="the id of a key", got=repr(identity), advice="see `sameface keys list`")
            self._write([key for key in self._keys.values() if key.id != identity])

    def caller(self, key: str) -> Caller:
        """Who a key belongs to.

        Raises:
            NotAuthenticatedError: no such key; the words do not say whether its id exists.
        """
        match = _KEY.match(key)
        with self._lock:
            self._refresh()
            stored = self._keys.get(match[1]) if match else None
        expected = stored.sha256 if stored else _NOBODY
        given = _digest(match[2] if match else "")
        # Compared even when the id is unknown, so that the time tells nothing.
        if not hmac.compare_digest(expected, given) or stored is None:
            raise NotAuthenticatedError(
                expected="a valid key", got="an unknown or revoked one", advice="send `Authorization: Bearer <key>`"
            )
        return Caller(stored.id, stored.role, stored.galleries)

    def _refresh(self) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            return
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == self._stamp:
            return
        try:
            keys = msgspec.json.decode(self.path.read_bytes(), type=list[StoredKey])
        except (OSError, msgspec.DecodeError) as error:
            raise SettingError(
                expected=f"a file of keys at {self.path}",
                got="something else",
                advice="restore it, or make new keys in another file",
            ) from error
        self._stamp, self._keys = stamp, {key.id: key for key in keys}

    def _write(self, keys: list[StoredKey]) -> None:
        with atomic_write(self.path) as part:
            part.write_bytes(msgspec.json.format(msgspec.json.encode(keys), indent=1) + b"\n")
            os.chmod(part, 0o600)  # noqa: PTH101
        self._refresh()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


#: What an unknown id is compared with: the digest of nothing anybody can send.
_NOBODY: Final = _digest(secrets.token_urlsafe(32))

"""Sessions of liveness between two frames: in files that the workers of one machine share, each for seconds, each used once.

A file holds the face's first view and embedding: biometric data. It lies in a folder that nobody else may read, and is deleted when the session is
used, has failed, or is too old.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from sameface import file_locks
from sameface.errors import NothingHereError, OverloadedError
from sameface.liveness.session import State
from sameface.plain import known

#: Seconds after its last frame that a session is kept: so long may a passed one be used.
KEPT: Final = 60.0
#: Sessions at once; each takes some 20 KB.
_MOST: Final = 1000


@dataclass(slots=True)
class Kept:
    """A session and whose it is.

    Attributes:
        owner: id of the key that began it.
        state: as `LiveSession.state`.
    """

    owner: str
    state: State


class LiveSessions:
    """The sessions of a service. Safe to use from several threads and processes.

    Args:
        folder: shared by the workers; "" makes one of this process's own with the first session. `close` removes that, or the end of the process.
    """

    def __init__(self, folder: str = "") -> None:
        self._folder = Path(folder) if folder else None
        self._making = threading.Lock()
        self._remove: Callable[[], object] | None = None

    def begin(self, owner: str, state: State) -> str:
        """Keep a new session.

        Returns:
            Its id, which nobody can guess.

        Raises:
            OverloadedError: too many at once.
        """
        folder = self._made()
        if _sweep(folder) >= _MOST:
            raise OverloadedError(
                expected=f"at most {_MOST} sessions at once", got="one more", advice="try again in a minute"
            )
        session = secrets.token_hex(16)
        handle = os.open(folder / session, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.msgpack.encode(Kept(owner, state)))
        return session

    @contextmanager
    def held(self, session: str, owner: str) -> Iterator[Kept]:
        """A session, for one caller alone; what was changed in it is kept at the end.

        Raises:
            NothingHereError: no such session, or somebody else's, or too old.
        """
        with self._opened(session) as file:
            kept = self._read(file, owner)
            yield kept
            file.seek(0)
            file.write(msgspec.msgpack.encode(kept))
            file.truncate()

    def take(self, session: str, owner: str) -> State:
        """A session for its one use: afterwards there is none.

        Raises:
            NothingHereError: as `held`.
        """
        with self._opened(session) as file:
            state = self._read(file, owner).state
            # Emptied too: somebody may wait for the lock of this very file.
            file.truncate(0)
            with suppress(FileNotFoundError, PermissionError):
                self._path(session).unlink()
            return state

    def close(self) -> None:
        """Delete an own folder with every session in it."""
        with self._making:
            if self._remove is not None:
                self._remove()
                self._folder = self._remove = None

    def _made(self) -> Path:
        with self._making:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="sameface-live-"))
                # Also where nobody calls `close`: an application that is let go, a program that ends some other way.
                self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    @contextmanager
    def _opened(self, session: str) -> Iterator[BinaryIO]:
        try:
            file = self._path(session).open("r+b")
        except (FileNotFoundError, ValueError):
            raise _nothing() from None
        with file:
            file_locks.lock(file)
            try:
                yield file
            finally:
                file_locks.unlock(file)

    def _read(self, file: BinaryIO, owner: str) -> Kept:
        try:
            kept = msgspec.msgpack.decode(file.read(), type=known(Kept))
        except msgspec.DecodeError:
            raise _nothing() from None
        if kept.owner != owner or time.monotonic() - kept.state.last > KEPT:
            raise _nothing()
        return kept

    def _path(self, session: str) -> Path:
        if self._folder is None or len(session) != 32 or not set(session) <= set("0123456789abcdef"):
            raise _nothing()
        return self._folder / session


def _sweep(folder: Path) -> int:
    """Delete what is too old; how many are left."""
    left = 0
    for path in folder.iterdir():
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > 2 * KEPT:
                path.unlink()
            else:
                left += 1
    return left


def _nothing() -> NothingHereError:
    return NothingHereError(
        expected="a session of this key that is not over",
        got="none of that id",
        advice="begin another with POST /v1/liveness",
    )

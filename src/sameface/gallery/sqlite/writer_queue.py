"""Writers of one gallery take turns.

SQLite's own waiting is a lottery that grows its pauses: a busy writer takes the lock again before a waiting one looks. Here a writer that
waits for the work lock holds a second lock, *next in line*, so whoever just finished has to queue behind it.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sameface.errors import GalleryLockedError, GalleryReadOnlyError


class WriterQueue:
    """The turnstile of one gallery file, for threads and processes alike.

    The operating system lets go of the locks when a process dies, so a kill blocks nobody.

    Args:
        path: an empty file beside the gallery, made when it is not there.
        patience: seconds to wait for a turn.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path, self._patience = path, patience
        self._threads = threading.Lock()
        self._handle: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this writer's turn and hold it for the block.

        Raises:
            GalleryLockedError: no turn within `patience`.
            GalleryReadOnlyError: the lock file may not be made.
        """
        deadline = time.monotonic() + self._patience
        if not self._threads.acquire(timeout=self._patience):
            raise self._late()
        try:
            handle = self._open()
            self._take(handle, 0, deadline)
            try:
                self._take(handle, 1, deadline)
            finally:
                self._release(handle, 0)
            try:
                yield
            finally:
                self._release(handle, 1)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Let go of the lock file; the next turn opens it again."""
        with self._threads:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def _open(self) -> int:
        if self._handle is None:
            try:
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise GalleryReadOnlyError(
                    expected=f"to write beside {self._path}",
                    got=error.strerror or "an error",
                    advice="change the permissions of the folder",
                ) from error
        return self._handle

    def _take(self, handle: int, place: int, deadline: float) -> None:
        pause = 0.0
        while True:
            try:
                # Open-file-description locks belong to the handle, not to the process: two stores in one process queue too.
                fcntl.fcntl(handle, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK, place))
                return
            except OSError as error:
                if error.errno not in (11, 13):  # EAGAIN, EACCES: somebody else holds it
                    raise
            if time.monotonic() > deadline:
                raise self._late()
            time.sleep(pause)
            pause = min(0.002, pause + 0.0001)

    def _release(self, handle: int, place: int) -> None:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK, place))

    def _late(self) -> GalleryLockedError:
        return GalleryLockedError(
            expected=f"a turn to write within {self._patience:g} s",
            got=f"other writers at {str(self._path).removesuffix('-writers')} all that time",
            advice="wait until the long work is done and try again",
        )


def _flock(kind: int, place: int) -> bytes:
    """``struct flock`` for one byte at `place`."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, place, 1, 0)

"""Writers of one gallery take turns.

SQLite's own waiting is a lottery that grows its pauses: a busy writer takes the lock again before a waiting one looks. Here a writer that
waits for the work lock holds a second lock, *next in line*, so whoever just finished has to queue behind it.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sameface import file_locks
from sameface.errors import GalleryLockedError, GalleryReadOnlyError, StorageFullError
from sameface.gallery.sqlite.whole import identity

#: What is added to a gallery's name for the files that the locks are held on: who writes, and who is next. Both are empty.
ENDINGS = ("-writers", "-next")


class WriterQueue:
    """The turnstile of one gallery file, for threads and processes alike.

    Args:
        gallery: the gallery's path; two empty files beside it are made when they are not there.
        patience: seconds to wait for a turn.
    """

    def __init__(self, gallery: Path, patience: float) -> None:
        self._gallery, self._patience = gallery, patience
        self._threads = threading.Lock()
        self._files: tuple[IO[bytes], IO[bytes]] | None = None

    @contextmanager
    def turn(self, patience: float | None = None) -> Iterator[None]:
        """Wait for this writer's turn and hold it for the block.

        Args:
            patience: seconds to wait, instead of the queue's own.

        Raises:
            GalleryLockedError: no turn within that time.
            GalleryReadOnlyError: the lock files may not be made.
        """
        limit = self._patience if patience is None else patience
        deadline = time.monotonic() + limit
        if not self._threads.acquire(timeout=limit):
            raise self._late(limit)
        try:
            work = self._taken(deadline, limit)
            while not _is_at(work, self._path(ENDINGS[0])):  # the gallery was erased, and its locks with it
                self._close()
                work = self._taken(deadline, limit)
            try:
                yield
            finally:
                file_locks.unlock(work)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Let go of the lock files; the next turn opens them again."""
        with self._threads:
            self._close()

    def _close(self) -> None:
        for file in self._files or ():
            file.close()
        self._files = None

    def __del__(self) -> None:
        for file in self._files or ():  # of a store that nobody closed
            file.close()

    def _open(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._files is None:
            work = _opened(self._path(ENDINGS[0]), self._gallery)
            try:
                self._files = work, _opened(self._path(ENDINGS[1]), self._gallery)
            except BaseException:
                work.close()
                raise
        return self._files

    def _path(self, ending: str) -> Path:
        return self._gallery.with_name(self._gallery.name + ending)

    def _taken(self, deadline: float, limit: float) -> IO[bytes]:
        work, line = self._open()
        self._take(line, deadline, limit)
        try:
            self._take(work, deadline, limit)
        finally:
            file_locks.unlock(line)
        return work

    def _take(self, file: IO[bytes], deadline: float, limit: float) -> None:
        pause = 0.0
        while not file_locks.try_lock(file):
            if time.monotonic() > deadline:
                raise self._late(limit)
            time.sleep(pause)
            pause = min(0.002, pause + 0.0001)

    def _late(self, limit: float) -> GalleryLockedError:
        return GalleryLockedError(
            expected=f"a turn to write within {limit:g} s",
            got=f"other writers at {self._gallery} all that time",
            advice="wait until the long work is done and try again",
        )


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one of a name."""
    status = os.fstat(file.fileno())
    try:
        return identity(path) == (status.st_dev, status.st_ino)
    except FileNotFoundError:
        return False


def _opened(path: Path, gallery: Path) -> IO[bytes]:
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(
                expected=f"room beside {gallery}", got="a full disk; nothing was changed", advice="free some space"
            ) from error
        raise GalleryReadOnlyError(
            expected=f"to write {gallery}, and {path.name} beside it",
            got=error.strerror or "an error",
            advice="change the permissions of the folder, or choose another",
        ) from error

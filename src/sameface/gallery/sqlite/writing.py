"""Whoever changes a gallery file: in turns, and tidying up afterwards."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sameface.errors import GalleryError
from sameface.gallery.sqlite import care, erasing, schema
from sameface.gallery.sqlite.errors import translated
from sameface.gallery.sqlite.settling import Settling
from sameface.gallery.sqlite.writer_queue import WriterQueue

#: Seconds to wait for a turn in which only old pages are to go.
_SHORT: Final = 0.2


class Writing:
    """The connection that a store writes with, made when it is needed first.

    Args:
        path: an existing gallery file.
        queue: of all its writers.
        patience: seconds to wait for other processes.
        require: raises when the gallery may not be used any more.

    Attributes:
        lock: held by the thread whose turn it is.
    """

    def __init__(self, path: Path, queue: WriterQueue, patience: float, require: Callable[[], None]) -> None:
        self._path, self._queue, self._patience, self._require = path, queue, patience, require
        self.lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._settling = Settling(self._settle)

    @contextmanager
    def turn(self) -> Iterator[sqlite3.Connection]:
        """This writer's turn, and what it writes with; afterwards what could not be erased before is tried again.

        Raises:
            GalleryLockedError, GalleryReadOnlyError, StorageFullError, GalleryDamagedError; whatever `require` raises.
        """
        with translated(str(self._path)), self.lock:
            self._require()  # before the queue: its files would be opened again, and by a closed store never closed
            with self._queue.turn():
                connection = self.connection()
                yield connection
                erasing.finish(connection)
        self._settling.soon()

    def connection(self) -> sqlite3.Connection:
        """What is written with, in this thread's turn."""
        self._require()
        if self._connection is None:
            self._connection = schema.connect(self._path, self._patience, write=True)
            care.rewrite_if_due(self._connection)
        return self._connection

    def finish_erasing(self) -> None:
        """Erase what had to wait for a reader, unless it must wait still, or this process may not."""
        # A caller may hold the lock itself, with an export that ends within a change.
        with suppress(GalleryError):
            if self.lock.acquire(timeout=_SHORT):
                try:
                    self._require()
                    with translated(str(self._path)), self._queue.turn(_SHORT):
                        erasing.finish(self.connection())
                finally:
                    self.lock.release()

    def _settle(self) -> None:
        """Copy the log into the file, as far as readers allow. A writer that is at work does it later."""
        if self.lock.acquire(blocking=False):
            try:
                with suppress(GalleryError, sqlite3.Error):
                    self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                self.lock.release()

    def close(self) -> None:
        """Let go of the file; the caller holds the lock."""
        self._settling.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._queue.close()

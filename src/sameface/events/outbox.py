"""Events that wait to be delivered, in a file: what was put in is delivered at least once, over kills and power cuts.

One process sends from a file at a time. An event leaves it only when its receiver has said that it has it. Whoever gets one twice knows it by
its id.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sameface.errors import OutputError
from sameface.files import path_as_text

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS waiting (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    target TEXT NOT NULL,
    body BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS by_target ON waiting (target, place);
"""
#: Seconds between two tries: from the first to the most.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event for one target.

    Attributes:
        place: counts up; a target gets its events in this order.
        event_id: the same however often it is sent, and for every target.
        target: name of the receiver, as it was put in.
        body: what is sent.
        tries: that failed so far.
    """

    place: int
    event_id: str
    target: str
    body: bytes
    tries: int


class Outbox:
    """A file of events. Safe to use from several threads.

    Args:
        path: made where it is not there, readable by its owner alone.
        clock: seconds since 1970.

    Raises:
        OutputError: it cannot be written, or is no outbox.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock, self._lock = path, clock, threading.Lock()
        try:
            with suppress(FileExistsError):  # closing one that SQLite has open would drop its locks
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._record = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            try:
                # Every event is on the disk before its `put` returns.
                self._record.execute("PRAGMA journal_mode = WAL")
                self._record.execute("PRAGMA synchronous = FULL")
                self._record.executescript(_SCHEMA)
            except BaseException:
                self._record.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise _unwritable(path, error) from error

    def put(self, body: bytes, targets: Sequence[str]) -> str:
        """Keep an event for each target: all of them or none.

        Returns:
            Its id.

        Raises:
            OutputError: the disk does not take it.
        """
        event_id, now = uuid.uuid4().hex, self._clock()
        rows = [(event_id, target, body, now) for target in targets]
        with self._lock:
            try:
                self._record.execute("BEGIN IMMEDIATE")
                self._record.executemany("INSERT INTO waiting (event_id, target, body, due) VALUES (?, ?, ?, ?)", rows)
                self._record.execute("COMMIT")
            except sqlite3.Error as error:
                if self._record.in_transaction:
                    self._record.execute("ROLLBACK")
                raise _unwritable(self._path, error) from error
        return event_id

    def due(self, target: str) -> Waiting | None:
        """The first event of a target, when its time has come; None while there is none."""
        with self._lock, closing(self._record.cursor()) as cursor:
            row = cursor.execute(
                "SELECT place, event_id, target, body, tries, due FROM waiting WHERE target = ? ORDER BY place LIMIT 1",
                (target,),
            ).fetchone()
        return Waiting(*row[:5]) if row is not None and row[5] <= self._clock() else None

    def delivered(self, waiting: Waiting) -> None:
        """Let go of an event that its receiver has."""
        with self._lock:
            self._record.execute("DELETE FROM waiting WHERE place = ?", (waiting.place,))

    def failed(self, waiting: Waiting) -> float:
        """Try an event again later; its target's other events wait behind it.

        Returns:
            Seconds until then: twice as many after each failure, five minutes at most.
        """
        pause: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(waiting.tries, 20))
        with self._lock:
            self._record.execute(
                "UPDATE waiting SET tries = tries + 1, due = ? WHERE place = ?", (self._clock() + pause, waiting.place)
            )
        return pause

    def __len__(self) -> int:
        """How many wait, for all targets."""
        with self._lock:
            (count,) = self._record.execute("SELECT count(*) FROM waiting").fetchone()
        return int(count)

    def close(self) -> None:
        """Let go of the file; what waits stays in it."""
        with self._lock:
            self._record.close()


def _unwritable(path: Path, error: Exception) -> OutputError:
    return OutputError(
        expected=f"an outbox at {path_as_text(path)} that can be written",
        got=str(error),
        advice="check the path and the disk, or name another file",
    )

"""The search matrix of a gallery file, kept in step with the record."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.crc import crc_of_template
from sameface.gallery.search import MatrixIndex
from sameface.gallery.segment import Segment
from sameface.gallery.sqlite_rows import damaged_template
from sameface.gallery.vault import PLAIN, Vault

_CHUNK: Final = 20_000
_COLUMNS: Final = "SELECT template_id, person_key, crc, embedding FROM template"


class LiveIndex:
    """Reads the record once, then only what changed since.

    Args:
        dimension: length of a vector.
        vault: how vectors lie in the record.
        location: for messages.
    """

    def __init__(self, dimension: int, vault: Vault, location: str) -> None:
        self._dimension, self._vault, self._location = dimension, vault, location
        self._lock = threading.RLock()
        self.index: MatrixIndex | None = None
        self.seen_template = 0
        self.seen_change = 0
        self.epoch: int | None = None
        self._version = -1

    def drop(self) -> None:
        """Forget what is in memory; the next `fresh` reads the record again."""
        with self._lock:
            self.index, self._version = None, -1

    def fresh(self, connection: sqlite3.Connection) -> MatrixIndex:
        """The index as of now.

        Args:
            connection: for reading; nobody else uses it during the call.

        Raises:
            GalleryDamagedError: a vector is not what was written; it is named.
        """
        with self._lock:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if self.index is not None and version == self._version:
                return self.index
            connection.execute("BEGIN")
            try:
                epoch = int(connection.execute("SELECT value FROM gallery WHERE key = 'epoch'").fetchone()[0])
                if self.epoch is not None and epoch != self.epoch:
                    self.index = None
                self.epoch = epoch
                if self.index is None:
                    self.index = self._load(connection)
                else:
                    self._catch_up(connection, self.index)
            except BaseException:
                self.index = None
                raise
            finally:
                connection.execute("COMMIT")
            self._version = version
            return self.index

    def _load(self, connection: sqlite3.Connection) -> MatrixIndex:
        count = connection.execute("SELECT count(*) FROM template").fetchone()[0]
        segment = Segment.empty(count + count // 8 + 256, self._dimension)
        self.seen_change = connection.execute("SELECT coalesce(max(seq), 0) FROM change").fetchone()[0]
        self.seen_template = 0
        cursor = connection.execute(f"{_COLUMNS} ORDER BY template_id")
        while rows := cursor.fetchmany(_CHUNK):
            segment.append(*self._checked(connection, rows))
            self.seen_template = rows[-1][0]
        return MatrixIndex(self._dimension, segment)

    def _catch_up(self, connection: sqlite3.Connection, index: MatrixIndex) -> None:
        changes = connection.execute(
            "SELECT seq, person_key FROM change WHERE seq > ? ORDER BY seq", (self.seen_change,)
        ).fetchall()
        last = self.seen_template
        cursor = connection.execute(f"{_COLUMNS} WHERE template_id > ? ORDER BY template_id", (last,))
        while rows := cursor.fetchmany(_CHUNK):
            index.append(*self._checked(connection, rows))
            self.seen_template = rows[-1][0]
        if changes:
            self.seen_change = changes[-1][0]
            keys = sorted({key for _, key in changes})
            # Whoever lost or gained templates is taken out whole and put in again as the record has them now.
            index.remove(keys)
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"{_COLUMNS} WHERE person_key IN ({marks}) ORDER BY template_id", part
                ).fetchall()
                if rows:
                    index.append(*self._checked(connection, rows))

    def _checked(
        self, connection: sqlite3.Connection, rows: Sequence[tuple[int, int, int, bytes]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        ids, keys, crcs, stored = zip(*rows, strict=True)
        if not all(isinstance(blob, bytes) for blob in stored):
            stored = tuple(
                blob if isinstance(blob, bytes) else b"" for blob in stored
            )  # a changed type byte: no sum will fit
        found = [crc_of_template(blob, key) for blob, key in zip(stored, keys, strict=True)]
        if list(crcs) != found:
            wrong = next(place for place, crc in enumerate(found) if crc != crcs[place])
            raise damaged_template(self._location, _name_of(connection, keys[wrong]), ids[wrong])
        if self._vault.scheme != PLAIN:
            stored = tuple(self._vault.unseal(blob, template_id) for blob, template_id in zip(stored, ids, strict=True))
            found = [crc_of_template(vector, key) for vector, key in zip(stored, keys, strict=True)]
        vectors = np.frombuffer(b"".join(stored), dtype="<f4").reshape(len(rows), self._dimension)
        return vectors, np.array(ids, np.int64), np.array(keys, np.int64), np.array(found, np.uint32)


def _name_of(connection: sqlite3.Connection, key: int) -> str:
    row: Any = connection.execute("SELECT name FROM person WHERE person_key = ?", (key,)).fetchone()
    return str(row[0]) if row else f"person number {key}"

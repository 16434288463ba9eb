"""The search matrix of a gallery file, kept in step with the record."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.record import NOBODY, OVERHEAD, RESIDUE, crc_of, is_sound
from sameface.gallery.search import MatrixIndex
from sameface.gallery.segment import Segment
from sameface.gallery.sqlite_rows import damaged_template
from sameface.gallery.vault import PLAIN, Vault

_CHUNK: Final = 20_000
_COLUMNS: Final = "SELECT template_id, record FROM vector"
#: Template ids, person keys, vectors and check sums of some rows.
Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]


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
        count = connection.execute("SELECT count(*) FROM template").fetchone()[0]  # forgotten rows are not among them
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
                    f"{_COLUMNS} WHERE template_id IN (SELECT template_id FROM template WHERE person_key IN ({marks}))",
                    part,
                ).fetchall()
                if rows:
                    index.append(*self._checked(connection, rows))

    def _checked(self, connection: sqlite3.Connection, rows: Sequence[tuple[int, bytes]]) -> Rows:
        ids, records = zip(*rows, strict=True)
        if not all(isinstance(record, bytes) for record in records) or set(map(zlib.crc32, records)) != {RESIDUE}:
            wrong = next(template_id for template_id, record in rows if not is_sound(record))
            raise damaged_template(self._location, _owner_of(connection, wrong), wrong)
        # Sound records of one gallery are of one length; a forgotten one has no owner.
        table = np.frombuffer(
            b"".join(records), dtype=[("key", "<i8"), ("payload", f"V{len(records[0]) - OVERHEAD}"), ("crc", "<u4")]
        )
        numbers = np.array(ids, np.int64)
        living = table["key"] != NOBODY
        if not living.all():
            table, numbers = table[living], numbers[living]
        if self._vault.scheme == PLAIN:
            vectors = np.ascontiguousarray(table["payload"]).view("<f4").reshape(len(table), self._dimension)
            return vectors, numbers, table["key"], table["crc"]
        plain = [
            self._vault.unseal(bytes(sealed), int(number))
            for sealed, number in zip(table["payload"], numbers, strict=True)
        ]
        crcs = [crc_of(int(key), vector) for key, vector in zip(table["key"], plain, strict=True)]
        return (
            np.frombuffer(b"".join(plain), "<f4").reshape(len(plain), self._dimension),
            numbers,
            table["key"],
            np.array(crcs, np.uint32),
        )


def _owner_of(connection: sqlite3.Connection, template_id: int) -> str:
    row: Any = connection.execute(
        "SELECT name FROM person JOIN template USING (person_key) WHERE template_id = ?", (template_id,)
    ).fetchone()
    return str(row[0]) if row else "nobody"

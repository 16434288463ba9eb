"""The search matrix of a gallery file, kept in step with the record."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import GalleryError, GalleryReadOnlyError
from sameface.gallery.exact.index import MatrixIndex
from sameface.gallery.exact.scan import CODED_FROM
from sameface.gallery.exact.segment import Segment, crc_of
from sameface.gallery.sqlite import cache_file, history, sums
from sameface.gallery.sqlite.record import NOBODY, OVERHEAD, RESIDUE, is_sound
from sameface.gallery.sqlite.rows import damaged_row, damaged_template
from sameface.gallery.sqlite.schema import Binding, require_same_epoch
from sameface.gallery.sqlite.vault import PLAIN, Vault
from sameface.gallery.sqlite.whole import identity, require_same_file

#: Templates from which on a cache file pays: below, the record is read in a fraction of a second.
CACHE_FROM = 20_000
#: More changes than this, and reading the record again is quicker than catching up.
_CHANGES_AT_MOST: Final = 2_000
_CHUNK: Final = 20_000
_COLUMNS: Final = "SELECT template_id, record FROM vector"
#: Template ids, person keys, vectors and check sums of some rows.
Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]


class LiveIndex:
    """Reads the record or its cache once, then only what changed since.

    Args:
        path: the gallery file; its cache lies beside it.
        binding: what the gallery was bound to when it was opened.
        vault: how vectors lie in the record.
        coded: whether large galleries are kept in 8 bits too, for a quicker search with the same answers.
    """

    def __init__(self, path: Path, binding: Binding, vault: Vault, *, coded: bool) -> None:
        self._path, self._file = path, identity(path)
        self._location, self._cache = str(path), path.with_name(path.name + "-cache")
        self._binding, self._dimension, self._vault = binding, binding.dimension, vault
        self._coded_from = CODED_FROM if coded else None
        self._lock = threading.RLock()
        self.index: MatrixIndex | None = None
        self._seen_template = 0
        self._seen_change = 0
        self._version = -1
        self._moment = history.BEGINNING

    def drop(self) -> None:
        """Forget what is in memory; the next `fresh` reads the record again."""
        with self._lock:
            self.index, self._version = None, -1

    def erase(self, person_keys: Sequence[int], moment: history.Moment) -> dict[str, int]:
        """Overwrite people's rows in memory and in the cache file, as they are to go in that state. Returns how many rows of each."""
        with self._lock:
            rows = self.index.remove(person_keys) if self.index is not None else 0
            cached = cache_file.scrub(self._cache, person_keys, moment)
            return {name: count for name, count in (("search matrix", rows), ("search cache", cached)) if count}

    def drop_cache(self) -> None:
        """Take the cache file away; the next `fresh` makes another where it pays."""
        with self._lock:
            self.drop()
            cache_file.remove(self._cache)

    def fresh(self, connection: sqlite3.Connection) -> MatrixIndex:
        """The index as of now.

        Args:
            connection: for reading; nobody else uses it during the call.

        Raises:
            GalleryDamagedError: a vector is not what was written; it is named.
            GalleryMismatchError: the gallery was re-encoded since it was opened.
        """
        with self._lock:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if self.index is not None and version == self._version:
                return self.index
            if self.index is not None and not history.includes(connection, self._moment):
                self.index = None  # another file was put in the place of this one
            opened = self.index is None
            in_cache = self._cached() if opened else None
            connection.execute("BEGIN")
            try:
                require_same_epoch(connection, self._binding, self._location)
                if self.index is None:
                    self.index = self._from_cache(connection, in_cache) or self._index_of(None)
                cached = self.index.rows
                if cached or not opened:
                    self._catch_up(connection, self.index)
                else:
                    self.index = self._load(connection)
                self._moment = history.moment(connection)
            except BaseException:
                self.index = None
                raise
            finally:
                connection.execute("COMMIT")
            self._version = version
            if opened and self.index.rows - cached > max(CACHE_FROM, cached // 8):
                self._write_cache(connection, self.index)
            return self.index

    def _load(self, connection: sqlite3.Connection) -> MatrixIndex:
        count = connection.execute("SELECT count(*) FROM template").fetchone()[0]  # forgotten rows are not among them
        segment = Segment.empty(count + count // 8 + 256, self._dimension)
        self._seen_change = connection.execute("SELECT coalesce(max(seq), 0) FROM change").fetchone()[0]
        self._seen_template = 0
        cursor = connection.execute(f"{_COLUMNS} ORDER BY template_id")
        while rows := cursor.fetchmany(_CHUNK):
            segment.append(*self._checked(connection, rows))
            self._seen_template = rows[-1][0]
        return self._index_of(segment)

    def _index_of(self, segment: Segment | None) -> MatrixIndex:
        if segment is not None:
            segment.encode(self._coded_from)
        return MatrixIndex(self._dimension, segment, coded_from=self._coded_from)

    # -- the cache file -----------------------------------------------------------------------------------------------
    def _cached(self) -> tuple[Segment, cache_file.Stamp] | None:
        """What lies in the cache file. Asked for before the record is looked at, so that it cannot be newer than what is seen there."""
        if self._vault.scheme != PLAIN:
            return None
        cache_file.remove_unfinished(self._cache)
        return cache_file.load(self._cache, self._binding.gallery_id, self._binding.epoch, self._dimension)

    def _from_cache(
        self, connection: sqlite3.Connection, cached: tuple[Segment, cache_file.Stamp] | None
    ) -> MatrixIndex | None:
        """The cached rows, or None when there are none, or too much changed since."""
        if cached is None:
            return None
        segment, stamp = cached
        if not history.includes(connection, stamp.moment):
            # Of a future that this record, a backup perhaps, does not have: it holds people who were never here, or no longer.
            with suppress(GalleryReadOnlyError):
                cache_file.remove(self._cache)
            return None
        changed = connection.execute(
            "SELECT count(DISTINCT person_key) FROM change WHERE seq > ?", (stamp.seen_change,)
        ).fetchone()[0]
        if changed > _CHANGES_AT_MOST:
            return None
        self._seen_template, self._seen_change = stamp.seen_template, stamp.seen_change
        return self._index_of(segment)

    def _write_cache(self, connection: sqlite3.Connection, index: MatrixIndex) -> None:
        if self._vault.scheme != PLAIN:
            return
        bound = self._binding
        stamp = cache_file.Stamp(
            bound.gallery_id, bound.epoch, bound.dimension, self._seen_template, self._seen_change, self._moment
        )
        if cache_file.write(self._cache, stamp, index.segments):
            # Whoever was forgotten while the file was written did not find it to scrub.
            rows = connection.execute("SELECT person_key FROM change WHERE seq > ?", (stamp.seen_change,))
            cache_file.scrub(self._cache, [row[0] for row in rows], history.moment(connection))
            try:
                require_same_file(self._path, self._file)
            except GalleryError:  # erased while the cache was written: nothing of it may stay
                cache_file.remove(self._cache)
                raise

    def _catch_up(self, connection: sqlite3.Connection, index: MatrixIndex) -> None:
        changes = connection.execute(
            "SELECT seq, person_key, sum FROM change WHERE seq > ? ORDER BY seq", (self._seen_change,)
        ).fetchall()
        for seq, key, made in changes:
            if not sums.fits(made, self._vault, sums.of_change, seq, key):
                raise damaged_row(self._location, f"change {seq}")
        last = self._seen_template
        cursor = connection.execute(f"{_COLUMNS} WHERE template_id > ? ORDER BY template_id", (last,))
        while rows := cursor.fetchmany(_CHUNK):
            index.append(*self._checked(connection, rows))
            self._seen_template = rows[-1][0]
        if changes:
            self._seen_change = changes[-1][0]
            keys = sorted({key for _, key, _ in changes})
            # Whoever lost or gained templates is taken out whole and put in again as the record has them now.
            index.remove(keys)
            if self._vault.scheme == PLAIN:
                # In case the process that removed them was killed before it could. A reader that may not leaves it to the next that may.
                with suppress(GalleryReadOnlyError):
                    cache_file.scrub(self._cache, keys, history.moment(connection))
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
        if set(map(type, records)) != {bytes} or set(map(zlib.crc32, records)) != {RESIDUE}:
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
            self._vault.unseal(bytes(sealed), int(owner), int(number))
            for sealed, owner, number in zip(table["payload"], table["key"], numbers, strict=True)
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

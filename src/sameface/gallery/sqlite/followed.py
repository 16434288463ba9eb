"""A gallery file as a live index sees it: rows that were added have larger numbers, everything else is told by the list of changes."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from sameface.gallery.exact.segment import NOBODY, crc_of
from sameface.gallery.following.moment import Moment
from sameface.gallery.following.record import News, Rows, Seen
from sameface.gallery.sqlite import history, sums
from sameface.gallery.sqlite.record import OVERHEAD, RESIDUE, is_sound
from sameface.gallery.sqlite.rows import damaged_row, damaged_template
from sameface.gallery.sqlite.schema import Binding, require_same_epoch
from sameface.gallery.sqlite.vault import PLAIN, Vault
from sameface.gallery.sqlite.whole import require_same_file

_CHUNK: Final = 8_192
_COLUMNS: Final = "SELECT template_id, record FROM vector"


class SqliteRecord:
    """See `Record` for what each call does.

    Args:
        path: the gallery file.
        file: what it was when it was opened.
        binding: what the gallery was bound to when it was opened.
        vault: how vectors lie in the record.
        connection: for reading; nobody else uses it while this does.
    """

    def __init__(
        self, path: Path, file: tuple[int, int], binding: Binding, vault: Vault, connection: sqlite3.Connection
    ) -> None:
        self._path, self._file, self._location = path, file, str(path)
        self._binding, self._vault, self._connection = binding, vault, connection
        self._version = ""

    def unchanged(self, since: Seen) -> bool:
        self._ask()
        return self._version == since.exact

    def _ask(self) -> None:
        self._version = str(self._connection.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def view(self) -> Iterator[SqliteRecord]:
        self._ask()  # before the moment that is seen: what changes in between is asked for again
        self._connection.execute("BEGIN")
        try:
            yield self
        finally:
            self._connection.execute("COMMIT")

    def require_there(self) -> None:
        require_same_file(self._path, self._file)

    # -- one moment ---------------------------------------------------------------------------------------------------
    def require_same_epoch(self) -> None:
        require_same_epoch(self._connection, self._binding, self._location)

    def moment(self) -> Moment:
        return history.moment(self._connection)

    def includes(self, earlier: Moment) -> bool:
        return history.includes(self._connection, earlier)

    def seen(self) -> Seen:
        template, change = self._connection.execute(
            "SELECT (SELECT coalesce(max(template_id), 0) FROM vector), (SELECT coalesce(max(seq), 0) FROM change)"
        ).fetchone()
        return Seen(template, change, self._version)

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM template").fetchone()[0])

    def everybody(self) -> Iterator[Rows]:
        return self._selected(f"{_COLUMNS} ORDER BY template_id")

    def news(self, since: Seen) -> News:
        changes = self._connection.execute(
            "SELECT seq, person_key, sum FROM change WHERE seq > ? ORDER BY seq", (since.change,)
        ).fetchall()
        for seq, key, made in changes:
            if not sums.fits(made, self._vault, sums.of_change, seq, key):
                raise damaged_row(self._location, f"change {seq}")
        keys = sorted({key for _, key, _ in changes})
        added = self._selected(f"{_COLUMNS} WHERE template_id > ? ORDER BY template_id", (since.template,))
        return News(added, keys, self._of(keys), lambda: True)

    def _of(self, keys: Sequence[int]) -> Iterator[Rows]:
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            yield from self._selected(
                f"{_COLUMNS} WHERE template_id IN (SELECT template_id FROM template WHERE person_key IN ({marks}))",
                part,
            )

    def _selected(self, query: str, values: Sequence[Any] = ()) -> Iterator[Rows]:
        cursor = self._connection.execute(query, values)
        while rows := cursor.fetchmany(_CHUNK):
            yield self._checked(rows)

    def _checked(self, rows: Sequence[tuple[int, bytes]]) -> Rows:
        ids, records = zip(*rows, strict=True)
        if set(map(type, records)) != {bytes} or set(map(zlib.crc32, records)) != {RESIDUE}:
            wrong = next(template_id for template_id, record in rows if not is_sound(record))
            raise damaged_template(self._location, _owner_of(self._connection, wrong), wrong)
        # Sound records of one gallery are of one length; a forgotten one has no owner.
        table = np.frombuffer(
            b"".join(records), dtype=[("key", "<i8"), ("payload", f"V{len(records[0]) - OVERHEAD}"), ("crc", "<u4")]
        )
        numbers = np.array(ids, np.int64)
        living = table["key"] != NOBODY
        if not living.all():
            table, numbers = table[living], numbers[living]
        dimension = self._binding.dimension
        if self._vault.scheme == PLAIN:
            vectors = np.ascontiguousarray(table["payload"]).view("<f4").reshape(len(table), dimension)
            return Rows(vectors, numbers, table["key"], table["crc"])
        plain = [
            self._vault.unseal(bytes(sealed), int(owner), int(number))
            for sealed, owner, number in zip(table["payload"], table["key"], numbers, strict=True)
        ]
        crcs = [crc_of(int(key), vector) for key, vector in zip(table["key"], plain, strict=True)]
        return Rows(
            np.frombuffer(b"".join(plain), "<f4").reshape(len(plain), dimension),
            numbers,
            table["key"],
            np.array(crcs, np.uint32),
        )


def _owner_of(connection: sqlite3.Connection, template_id: int) -> str:
    row: Any = connection.execute(
        "SELECT name FROM person JOIN template USING (person_key) WHERE template_id = ?", (template_id,)
    ).fetchone()
    return str(row[0]) if row else "nobody"

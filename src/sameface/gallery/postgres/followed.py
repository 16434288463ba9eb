"""A gallery on a server as a live index sees it: a snapshot of the server says what was committed since another, whoever began first.

A number from a sequence would not do: a transaction that took a smaller one may be committed later. So each change says in which transaction it was
made, and what an earlier snapshot could not see of them is new.
"""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from psycopg.abc import Buffer

from sameface.errors import GalleryDamagedError, GalleryMissingError
from sameface.gallery.exact.segment import crc_of
from sameface.gallery.following.moment import BEGINNING, LINK_BYTES, Moment
from sameface.gallery.following.record import News, Rows, Seen
from sameface.gallery.postgres import schema
from sameface.gallery.postgres.connections import Connection

_CHUNK: Final = 8_192
_ROWS: Final = """
    SELECT p.number, t.template_id, t.crc, t.embedding FROM sameface_person p JOIN sameface_template t USING (person_id)
"""
_UNSEEN: Final = "xid >= %(from)s::text::xid8"
_UNSEEN_EXACTLY: Final = (
    "xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, %(seen)s::pg_snapshot)"
)
#: Bytes before the first row of a binary COPY.
_HEAD: Final = 19


class PostgresRecord:
    """See `Record` and `View` for what each call does.

    Args:
        bound: the gallery's settings when it was opened.
        shown: the address, for errors.
        reading: a connection that sees one moment for as long as the context lasts.
    """

    def __init__(
        self, bound: dict[str, str], shown: str, reading: Callable[[], AbstractContextManager[Connection]]
    ) -> None:
        self._bound, self._shown, self._reading = bound, shown, reading
        self._connection: Connection | None = None

    def unchanged(self, since: Seen) -> bool:
        if not since.exact:
            return False
        snapshot, number, mark = since.exact.split()
        with self._reading() as connection:
            schema.require_same_epoch(connection, self._bound, self._shown)
            query = f"""
                SELECT NOT EXISTS (SELECT 1 FROM sameface_change WHERE {_UNSEEN_EXACTLY})
                    AND EXISTS (SELECT 1 FROM sameface_change WHERE number = %(number)s AND mark = %(mark)s)
            """
            row = connection.execute(query.encode(), {"seen": snapshot, "number": int(number), "mark": mark}).fetchone()
        return row == (True,)

    @contextmanager
    def view(self) -> Iterator[PostgresRecord]:
        with self._reading() as connection:
            self._connection = connection
            try:
                yield self
            finally:
                self._connection = None

    def require_there(self) -> None:
        with self._reading() as connection:
            if not schema.exists(connection):
                raise GalleryMissingError(
                    expected=f"the gallery at {self._shown} that was opened",
                    got="no tables of it: it was deleted meanwhile",
                    advice="open another, or make it anew",
                )

    # -- one moment ---------------------------------------------------------------------------------------------------
    def require_same_epoch(self) -> None:
        schema.require_same_epoch(self._seeing, self._bound, self._shown)

    @property
    def _seeing(self) -> Connection:
        assert self._connection is not None, "outside of a view"
        return self._connection

    def moment(self) -> Moment:
        return moment(self._seeing)

    def includes(self, earlier: Moment) -> bool:
        if earlier == BEGINNING:
            return True
        row = self._seeing.execute("SELECT mark FROM sameface_change WHERE number = %s", (earlier.seq,)).fetchone()
        return row is not None and _link(self._seeing, row[0]) == earlier.link

    def seen(self) -> Seen:
        row: Any = self._seeing.execute(
            "SELECT s::text, pg_snapshot_xmin(s)::text, number, mark::text FROM pg_current_snapshot() s,"
            " (SELECT number, mark FROM sameface_change ORDER BY number DESC LIMIT 1) AS last"
        ).fetchone()
        snapshot, oldest, number, mark = row
        return Seen(0, int(oldest), f"{snapshot} {number} {mark}")

    def count(self) -> int:
        row: Any = self._seeing.execute("SELECT count(*) FROM sameface_template").fetchone()
        return int(row[0])

    def everybody(self) -> Iterator[Rows]:
        return self._selected("true", ())

    def news(self, since: Seen) -> News:
        condition = _UNSEEN_EXACTLY if since.exact else _UNSEEN
        values = {"seen": since.exact.split()[0] if since.exact else None, "from": str(since.change)}
        changes = self._seeing.execute(
            f"SELECT first, last, erased, photos FROM sameface_change WHERE {condition} ORDER BY number".encode(),
            values,
        ).fetchall()
        gone = sorted({first for first, _, erased, _ in changes if erased})
        single = sorted({first for first, last, _, _ in changes if first == last} - set(gone))
        found: dict[int, int] = {}
        expected = {first: photos for first, last, _, photos in changes if first == last and photos is not None}
        return News(
            self._counted(self._added(single, [row[:2] for row in changes if row[0] != row[1]]), found, expected),
            gone,
            self._counted(self._of(gone), found, expected),
            # Where the tables are spread, a change may be told here a moment before another machine shows it.
            lambda: all(found.get(number, 0) == photos for number, photos in expected.items()),
        )

    def _added(self, single: Sequence[int], ranges: Sequence[tuple[int, int]]) -> Iterator[Rows]:
        yield from self._of(single)
        for first, last in ranges:
            yield from self._selected("p.number BETWEEN %s AND %s", (first, last))

    def _of(self, numbers: Sequence[int]) -> Iterator[Rows]:
        if numbers:
            yield from self._selected("p.number = ANY(%s)", (list(numbers),))

    @staticmethod
    def _counted(parts: Iterator[Rows], found: dict[int, int], wanted: dict[int, int]) -> Iterator[Rows]:
        """Count the templates of some people on the way."""
        for rows in parts:
            if wanted:
                for key in rows.keys.tolist():
                    if key in wanted:
                        found[key] = found.get(key, 0) + 1
            yield rows

    def _selected(self, where: str, values: Sequence[Any]) -> Iterator[Rows]:
        """Templates by a binary COPY, whose rows are all of one length here: numpy takes them apart, a thousand at a time."""
        dimension = int(self._bound["dimension"])
        row = np.dtype(
            [("fields", ">i2")]
            + [part for name in ("key", "id", "crc") for part in ((f"{name}_length", ">i4"), (name, ">i8"))]
            + [("length", ">i4"), ("dimension", ">i2"), ("unused", ">i2"), ("vector", ">f4", (dimension,))]
        )
        query = f"COPY ({_ROWS} WHERE {where}) TO STDOUT (FORMAT BINARY)"
        with self._seeing.cursor() as cursor, cursor.copy(query.encode(), values) as copy:
            try:
                for part in _portions(copy, row.itemsize):
                    yield _checked(np.frombuffer(part, row))
            except _WrongRowError as wrong:
                for _ in copy:  # to its end: else the connection could not be asked whose row it is
                    pass
                found = wrong
            else:
                return
        raise self._damaged(found.number, found.template_id)

    def _damaged(self, number: int, template_id: int) -> GalleryDamagedError:
        row = self._seeing.execute("SELECT name FROM sameface_person WHERE number = %s", (number,)).fetchone()
        return GalleryDamagedError(
            expected=f"whole templates in {self._shown}",
            got=f"template {template_id} of {row[0] if row else 'nobody'!r} changed since it was written",
            advice="run `sameface gallery check` for all of them, then forget and enroll that person again, or restore a backup",
        )


class _WrongRowError(Exception):
    """A row is not what was written."""

    def __init__(self, number: int, template_id: int) -> None:
        super().__init__(number, template_id)
        self.number, self.template_id = number, template_id


def _portions(copy: Iterable[Buffer], size: int) -> Iterator[bytes]:
    """What a binary COPY gives, without head and end, in whole rows of so many bytes."""
    waiting, length, begun = list[Buffer](), 0, False
    for data in copy:
        waiting.append(data)
        length += len(memoryview(data))
        if length >= _CHUNK * size:
            whole = b"".join(waiting)
            start = 0 if begun else _HEAD
            stop = start + (len(whole) - start) // size * size
            yield whole[start:stop]
            waiting, length, begun = [whole[stop:]], len(whole) - stop, True
    whole = b"".join(waiting)
    start = 0 if begun else _HEAD
    if len(whole) - start > size:  # the last two bytes say that this was all
        yield whole[start:-2]


def _checked(table: npt.NDArray[Any]) -> Rows:
    vectors = table["vector"].astype("<f4")
    keys, stored = table["key"].astype(np.int64), table["crc"].tolist()
    width, raw = vectors.shape[1] * 4, vectors.tobytes()
    payloads = [raw[place : place + width] for place in range(0, len(raw), width)]
    if list(map(zlib.crc32, payloads)) != stored:
        wrong = next(number for number, payload in enumerate(payloads) if zlib.crc32(payload) != stored[number])
        raise _WrongRowError(int(keys[wrong]), int(table["id"][wrong]))
    crcs = [crc_of(key, payload) for key, payload in zip(keys.tolist(), payloads, strict=True)]
    return Rows(vectors, table["id"].astype(np.int64), keys, np.array(crcs, np.uint32))


def moment(connection: Connection) -> Moment:
    """The state that a connection sees."""
    row = connection.execute("SELECT number, mark FROM sameface_change ORDER BY number DESC LIMIT 1").fetchone()
    return Moment(row[0], _link(connection, row[1])) if row else BEGINNING


def _link(connection: Connection, mark: uuid.UUID) -> bytes:
    """What no other state has: a random mark, and in which server's table it is; transactions of another server are numbered anew."""
    row: Any = connection.execute(
        "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), 'sameface_change'::regclass::oid,"
        " has_function_privilege('pg_control_system()', 'execute')"
    ).fetchone()
    where = [*row[:2]]
    if row[2]:  # as everywhere but where a host takes it away
        where += connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone() or ()
    return hashlib.blake2b(mark.bytes + " ".join(map(str, where)).encode(), digest_size=LINK_BYTES).digest()

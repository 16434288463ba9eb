"""A gallery on a PostgreSQL server: the record and the search are there, every answer is of this moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import numpy.typing as npt

from sameface.errors import EmbeddingError, GalleryMissingError
from sameface.gallery.base.people import Once
from sameface.gallery.base.store import BaseStore
from sameface.gallery.postgres import care, hnsw, ranking, rows, schema
from sameface.gallery.postgres.address import Address
from sameface.gallery.postgres.connections import Connection, Connections
from sameface.gallery.postgres.transaction import PostgresTransaction
from sameface.gallery.store import CheckReport, Stats, StoredTemplate, Tuning, now
from sameface.types import Candidate, Embeddings, EmbeddingSpace, Person

Result = TypeVar("Result")
#: People that leave the server at a time when everybody is exported.
_AT_ONCE: Final = 200


class PostgresStore(BaseStore[PostgresTransaction]):
    """A `TemplateStore` on a server. See there for what each call does.

    Args:
        location: ``postgresql://…``; the tables are made in the first schema of its search path.
        space, dimension: to make a gallery that is not there; None opens what is.
        create: make it when it is not there.
        patience: seconds to wait for the server and for locks.

    Attributes:
        made: whether there was none before.

    Raises:
        GalleryUnavailableError, GalleryKeyError, GalleryMissingError, GallerySchemaError, SettingError.
    """

    def __init__(
        self, location: str, *, space: EmbeddingSpace | None, dimension: int | None, create: bool, patience: float
    ) -> None:
        self._address = Address(location)
        self._connections = Connections(self._address, patience)
        self.made = False
        try:
            if not self._connections.read(schema.exists):
                if not create or space is None or dimension is None:
                    raise GalleryMissingError(
                        expected=f"a gallery at {self.location}",
                        got="no tables of one",
                        advice="enroll somebody first, or check the address",
                    )
                self.made = self._connections.write(partial(schema.create, space=space, dimension=dimension))
            self._bound = self._connections.read(partial(schema.settings, shown=self.location))
            if int(self._bound["schema"]) < schema.SCHEMA:
                self._connections.write(schema.lift)
                self._bound = self._connections.read(partial(schema.settings, shown=self.location))
        except BaseException:
            self._connections.close()
            raise
        self._index = hnsw.chosen(self._bound)
        if self._index is not None:
            hnsw.warn(self._index)

    @property
    def space(self) -> EmbeddingSpace:
        return schema.space_of(self._bound)

    @property
    def dimension(self) -> int:
        return int(self._bound["dimension"])

    @property
    def location(self) -> str:
        return self._address.shown

    @property
    def gallery_id(self) -> str:
        return self._bound["gallery_id"]

    def export(self) -> Iterator[tuple[Person, list[StoredTemplate]]]:
        with self._connections.snapshot() as connection, connection.cursor("everybody") as cursor:
            schema.require_same_epoch(connection, self._bound, self.location)
            cursor.execute(f"{rows.PEOPLE} WHERE {rows.THERE} ORDER BY p.number".encode(), (now(),))
            while part := [rows.person_of(row)[1] for row in cursor.fetchmany(_AT_ONCE)]:
                stored = rows.select_templates(connection, part, self.location)
                for person in part:
                    yield person, stored.pop(person.person_id)

    # -- searching ----------------------------------------------------------------------------------------------------
    def _search(self, probes: Embeddings, k: int, group: str | None) -> list[list[Candidate]]:
        def work(connection: Connection) -> list[list[Candidate]]:
            schema.require_same_epoch(connection, self._bound, self.location)
            return ranking.search(connection, probes, k, group, self._index, self.location)

        return self._connections.read(work)

    def _search_within(self, connection: Connection, probes: Embeddings, k: int) -> list[list[Candidate]]:
        """`_search` in a transaction that goes on to change something."""
        found = ranking.search(connection, probes, k, None, self._index, self.location)
        connection.execute("SET LOCAL enable_indexscan = on")
        return found

    def _tune_search(self, recall: float | None) -> Tuning:
        if recall is None:
            self._change(hnsw.drop, alone=True)
            self._index = None
            return Tuning("exact")
        self._index = self._change(partial(hnsw.build, dimension=self.dimension, recall=recall), alone=True)
        return self._index

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self) -> None:
        self._one("SELECT 1")

    def check(self) -> CheckReport:
        return self._connections.read(partial(care.check, dimension=self.dimension))

    def stats(self) -> Stats:
        return self._connections.read(
            lambda connection: care.stats(
                connection, location=self.location, space=self.space, dimension=self.dimension, index=self._index
            )
        )

    def compact(self) -> int:
        before = int(self._one("SELECT pg_total_relation_size('sameface_template')"))
        for table in ("template", "person", "name", "membership"):
            self._connections.maintain(f"VACUUM (FULL, ANALYZE) sameface_{table}")
        return max(0, before - int(self._one("SELECT pg_total_relation_size('sameface_template')")))

    def reindex(self) -> None:
        # Galleries of earlier versions lack the first: it makes lists quick, and changes no answer.
        self._change(
            lambda connection: connection.execute(
                "CREATE INDEX IF NOT EXISTS sameface_person_number ON sameface_person (number)"
            )
        )
        if self._index is not None:
            self.tune_search(self._index.recall)

    def reembed(
        self,
        space: EmbeddingSpace,
        dimension: int,
        vectors: Iterable[tuple[int, npt.ArrayLike]],
        *,
        drop_missing: bool = False,
    ) -> int:
        if dimension < 1 or dimension > schema.LONGEST:
            raise EmbeddingError(
                expected=f"embeddings of 1 to {schema.LONGEST} numbers",
                got=str(dimension),
                advice="use an SQLite gallery",
            )
        replaced = self._change(
            partial(care.reembed, space=space, dimension=dimension, vectors=Once(vectors), drop_missing=drop_missing),
            alone=True,
        )
        self._bound = self._connections.read(partial(schema.settings, shown=self.location))
        self._index = None
        return replaced

    def close(self) -> None:
        self._connections.close()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _change(self, work: Callable[[Connection], Result], *, alone: bool = False) -> Result:
        # The lock comes first: what is looked at afterwards stays as it is. Readers are never kept waiting.
        mode = "SHARE ROW EXCLUSIVE" if alone else "ROW EXCLUSIVE"

        def locked(connection: Connection) -> Result:
            connection.execute(f"LOCK TABLE sameface_template IN {mode} MODE".encode())
            schema.require_same_epoch(connection, self._bound, self.location)
            return work(connection)

        return self._connections.write(locked)

    def _transaction(self, connection: Connection, *, changing: bool) -> PostgresTransaction:
        return PostgresTransaction(connection, self._bound, self.location, self._search_within, changing=changing)

    def _read(self, work: Callable[[PostgresTransaction], Result]) -> Result:
        return self._connections.read(lambda connection: work(self._transaction(connection, changing=False)))

    def _write(self, work: Callable[[PostgresTransaction], Result], *, alone: bool = False) -> Result:
        # The server keeps old versions of rows until it vacuums (`compact` makes it), and its own log and backups by its own rules.
        return self._change(lambda connection: work(self._transaction(connection, changing=True)), alone=alone)

    def _one(self, query: str, values: Sequence[Any] = ()) -> Any:
        row = self._connections.read(lambda connection: connection.execute(query.encode(), values).fetchone())
        return row[0] if row else None

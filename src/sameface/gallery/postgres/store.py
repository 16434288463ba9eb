"""A gallery on a PostgreSQL server: the record is there, an index in this process follows it, every answer is of this moment.

Over 300 lines because it is one class, a few lines for each part of the contract; the work is done by the files beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import numpy.typing as npt

from sameface.errors import EmbeddingError, GalleryMissingError, GalleryReadOnlyError
from sameface.gallery.base.keeping import with_places
from sameface.gallery.base.people import Once
from sameface.gallery.base.store import BaseStore
from sameface.gallery.exact.scan import Scan, scan_from_environment
from sameface.gallery.exact.threads import threads_from_environment
from sameface.gallery.following import places
from sameface.gallery.following.live_index import Followed
from sameface.gallery.following.moment import BEGINNING, Moment
from sameface.gallery.postgres import care, citus, followed, hnsw, ranking, rows, schema, tuning
from sameface.gallery.postgres.address import Address
from sameface.gallery.postgres.connections import Connection, Connections
from sameface.gallery.postgres.searching import Following
from sameface.gallery.postgres.transaction import PostgresTransaction
from sameface.gallery.store import CheckReport, IndexBuild, Spread, Stats, StoredTemplate, Tuning, now
from sameface.progress import Tally
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
        in_clear: whether embeddings may lie on this machine's disk in the clear, in a search cache.
        threads: threads of one search, None for the default.
        scan: how a large gallery is looked through in this process (`Scan`); None for the default.

    Attributes:
        made: whether there was none before.

    Raises:
        GalleryUnavailableError, GalleryKeyError, GalleryMissingError, GallerySchemaError, SettingError.
    """

    def __init__(
        self,
        location: str,
        *,
        space: EmbeddingSpace | None,
        dimension: int | None,
        create: bool,
        patience: float,
        in_clear: bool = True,
        threads: int | None = None,
        scan: Scan | None = None,
    ) -> None:
        self._threads = threads if threads is not None else threads_from_environment()
        self._coded = (scan if scan is not None else scan_from_environment()) == "int8"
        self._in_clear, self._hurry = in_clear, int(1000 * patience)
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
            self._bound = self._opened()
            self._following = self._follow()
        except BaseException:
            self._connections.close()
            raise
        self._index = hnsw.chosen(self._bound)
        if self._index is not None:
            hnsw.warn(self._index)

    def _opened(self) -> dict[str, str]:
        bound = self._connections.read(partial(schema.settings, shown=self.location))
        if int(bound["schema"]) == schema.SCHEMA:
            return bound
        try:
            self._connections.write(schema.lift)
        except GalleryReadOnlyError:  # who may only read has it searched by the server
            if int(bound["schema"]) < schema.TERMS:
                raise
        return self._connections.read(partial(schema.settings, shown=self.location))

    def _follow(self) -> Following | None:
        """The index that follows this gallery, None where the server searches alone."""
        if not places.wanted() or int(self._bound["schema"]) < schema.FOLLOWED:
            return None
        cache = places.cache_path(self.gallery_id) if self._in_clear else None
        gallery = Followed(self.gallery_id, int(self._bound["epoch"]), self.dimension, cache)
        return Following(self._connections, self._bound, gallery, threads=self._threads, coded=self._coded)

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
        if self._following is not None and self._index is None:
            return self._following.search(probes, k, group)

        def work(connection: Connection) -> list[list[Candidate]]:
            schema.require_same_epoch(connection, self._bound, self.location)
            self._index = hnsw.chosen(schema.settings(connection, self.location))  # others may have built or dropped it
            return ranking.search(connection, probes, k, group, self._index, self.location)

        return self._connections.read(work)

    def _search_within(
        self, connection: Connection, probes: Embeddings, k: int, group: str | None = None
    ) -> list[list[Candidate]]:
        """Exact search in a transaction that goes on to change something, and keeps all others out."""
        if self._following is not None:
            return self._following.search_within(connection, probes, k, group)
        with self._unhurried(connection):
            return ranking.search(connection, probes, k, group, None, self.location)

    def _tune_search(self, recall: float | None, build: IndexBuild) -> Tuning:
        self._index = None
        if recall is None:
            self._change(hnsw.drop, alone=True)
            return Tuning("exact")
        if build.concurrently:
            self._index = tuning.build_beside(
                self._change, self._connections, self.dimension, recall, build, self.location
            )
        else:
            self._index = tuning.build_alone(
                self._change, self._search_within, self.dimension, recall, build, self.location
            )
        return self._index

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self, progress: Tally | None = None) -> None:
        if self._following is not None and self._index is None:
            self._following.warm(progress)
        else:
            self._one("SELECT 1")

    def check(self) -> CheckReport:
        report = self._connections.read(partial(care.check, dimension=self.dimension))
        if report.ok:
            return report
        # Where the tables are spread, one look sees no one moment: what a rename left behind is not there at the next.
        return self._connections.read(partial(care.looked_again, report=report))

    def stats(self) -> Stats:
        def work(connection: Connection) -> Stats:
            index = hnsw.chosen(schema.settings(connection, self.location))
            return care.stats(connection, self.location, self._bound, index, followed=self._following is not None)

        found = self._connections.read(work)
        if self._following is None:
            return found
        return replace(found, bytes={**found.bytes, "search cache": self._following.cache_bytes})

    def compact(self) -> int:
        def size() -> int:
            return sum(self._connections.read(partial(citus.sizes, spread=schema.is_distributed(self._bound))).values())

        before = size()
        if int(self._bound["schema"]) >= schema.FOLLOWED:
            self._change(rows.shorten_changes)
        for table in ("template", "person", "name", "membership"):
            self._connections.maintain(f"VACUUM (FULL, ANALYZE) sameface_{table}")
        return max(0, before - size())

    def distribute(self) -> Spread:
        """Spread the tables over the machines of a Citus cluster; see `distribute_gallery`."""
        spread = self._change(partial(citus.spread, shown=self.location), alone=True, hurried=False)
        self._bound = self._connections.read(partial(schema.settings, shown=self.location))
        self._following = self._follow()
        return spread

    def reindex(self) -> None:
        # Galleries of earlier versions lack the first: it makes lists quick, and changes no answer.
        self._change(
            lambda connection: connection.execute(
                "CREATE INDEX IF NOT EXISTS sameface_person_number ON sameface_person (number)"
            )
        )
        if self._index is not None:
            old = self._index
            self.tune_search(old.recall, IndexBuild(max(1, old.neighbours), old.m, old.ef_construction))
        elif self._following is not None:
            self._following.drop_cache()
            self.warm()

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
            partial(
                care.reembed,
                space=space,
                dimension=dimension,
                vectors=Once(vectors),
                drop_missing=drop_missing,
                spread=schema.is_distributed(self._bound),
            ),
            alone=True,
            hurried=False,
        )
        if self._following is not None:
            self._following.drop_cache()
        self._bound = self._connections.read(partial(schema.settings, shown=self.location))
        self._following, self._index = self._follow(), None
        return replaced

    def close(self) -> None:
        if self._following is not None:
            self._following.close()
        self._connections.close()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _change(self, work: Callable[[Connection], Result], *, alone: bool = False, hurried: bool = True) -> Result:
        # The lock comes first: what is looked at afterwards stays as it is. Readers are never kept waiting.
        mode = "SHARE ROW EXCLUSIVE" if alone else "ROW EXCLUSIVE"

        def locked(connection: Connection) -> Result:
            if hurried and schema.is_distributed(self._bound):
                # `lock_timeout` is not kept on the other machines; whoever waits there is called back from here.
                connection.execute(f"SET LOCAL statement_timeout = {self._hurry}".encode())
            connection.execute(f"LOCK TABLE sameface_template IN {mode} MODE".encode())
            schema.require_same_epoch(connection, self._bound, self.location)
            return work(connection)

        return self._connections.write(locked)

    @contextmanager
    def _unhurried(self, connection: Connection) -> Iterator[None]:
        """For a search within a change, which waits for nobody and may take long."""
        connection.execute(b"SET LOCAL statement_timeout = 0")
        yield
        if schema.is_distributed(self._bound):
            connection.execute(f"SET LOCAL statement_timeout = {self._hurry}".encode())

    def _transaction(self, connection: Connection, *, changing: bool) -> PostgresTransaction:
        return PostgresTransaction(connection, self._bound, self.location, self._search_within, changing=changing)

    def _read(self, work: Callable[[PostgresTransaction], Result]) -> Result:
        return self._connections.read(lambda connection: work(self._transaction(connection, changing=False)))

    def _write(self, work: Callable[[PostgresTransaction], Result], *, alone: bool = False) -> Result:
        # The server keeps old versions of rows until it vacuums (`compact` makes it), and its own log and backups by its own rules.
        def changing(connection: Connection) -> tuple[Result, list[int], Moment]:
            with self._transaction(connection, changing=True) as transaction:
                done = work(transaction)
                told = bool(transaction.erased) and self._following is not None
                return done, transaction.erased, followed.moment(connection) if told else BEGINNING

        done, erased, moment = self._change(changing, alone=alone)
        if not erased or self._following is None:
            return done
        return with_places(done, self._following.erase(erased, moment), ())

    def _one(self, query: str, values: Sequence[Any] = ()) -> Any:
        row = self._connections.read(lambda connection: connection.execute(query.encode(), values).fetchone())
        return row[0] if row else None

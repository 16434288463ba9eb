"""Building an approximate index: alone, in one transaction, or beside writers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import psycopg

from sameface.errors import SamefaceError
from sameface.gallery.postgres import hnsw, ranking
from sameface.gallery.postgres.connections import Connection, Connections
from sameface.gallery.store import IndexBuild, Tuning
from sameface.types import Candidate, Embeddings

Result = TypeVar("Result")


class Change(Protocol):
    """Runs work in one transaction of a gallery."""

    def __call__(self, work: Callable[[Connection], Result], *, alone: bool, hurried: bool) -> Result: ...


#: Ranks people exactly on a connection: probes, k, group.
Search = Callable[[Connection, Embeddings, int, str | None], list[list[Candidate]]]


def build_alone(change: Change, search: Search, dimension: int, recall: float, build: IndexBuild, shown: str) -> Tuning:
    """Build an index while nobody writes: there it is, or all is as before."""

    def work(connection: Connection) -> Tuning:
        hnsw.take_turn(connection, beside=False)
        hnsw.drop(connection)
        hnsw.create(connection, dimension, build)
        tuning = hnsw.choose(connection, recall, build, partial(search, connection), shown)
        hnsw.store(connection, tuning)
        return tuning

    return change(work, alone=True, hurried=False)


def build_beside(
    change: Change, connections: Connections, dimension: int, recall: float, build: IndexBuild, shown: str
) -> Tuning:
    """Build an index while others write. Until it is there, search is exact."""

    def choose(connection: Connection) -> Tuning:
        def exact(probes: Embeddings, k: int, group: str | None) -> list[list[Candidate]]:
            return ranking.search(connection, probes, k, group, None, shown)

        return hnsw.choose(connection, recall, build, exact, shown)

    with connections.outside() as connection:  # whose turn it is until it is closed
        hnsw.take_turn(connection, beside=True)
        change(hnsw.drop, alone=True, hurried=False)
        try:
            hnsw.create(connection, dimension, build)
            tuning = connections.read(choose)
            change(partial(hnsw.store, tuning=tuning), alone=False, hurried=False)
        except (SamefaceError, psycopg.Error):
            with suppress(SamefaceError):
                change(hnsw.drop, alone=True, hurried=False)  # half an index would only slow writers down
            raise
    return tuning

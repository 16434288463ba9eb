"""pgvector's HNSW index, on request: built over half precision, its `ef_search` chosen by measured recall, or refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from sameface.errors import GalleryLockedError, NotEnoughDataError, RecallError
from sameface.gallery.postgres import citus, ranking
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.store import IndexBuild, Tuning
from sameface.types import Candidate, Embeddings

#: Below this share of right answers a gallery says so.
ENOUGH: Final = 0.99
INDEX: Final = "sameface_template_hnsw"
_TRIED: Final = (40, 80, 120, 200, 300, 500, 800, ranking.MOST_EF)
_PROBES: Final = 200
#: Groups in which recall is measured too: the smallest and the largest of those that are not searched exactly.
_GROUPS: Final = 2
#: How far a made-up probe lies from its template, as a share of the distance of two strangers: about as far as a hard photo of that person does.
_AWAY: Final = 0.5
_SETTINGS: Final = ("ef_search", "recall", "recall_probes", "neighbours", "hnsw_m", "hnsw_ef_construction")
_log: Final = logging.getLogger(__name__)

#: Ranks people exactly: probes, k, group.
Exact = Callable[[Embeddings, int, str | None], list[list[Candidate]]]


def take_turn(connection: Connection, *, beside: bool) -> None:
    """Be the only one who builds an index of this gallery, to the end of the transaction or, beside writers, of the connection.

    Raises:
        GalleryLockedError: another process builds one.
    """
    kind = "pg_try_advisory_lock" if beside else "pg_try_advisory_xact_lock"
    query = f"SELECT {kind}(1396786501, ('sameface_template'::regclass::oid::bigint % 2147483647)::int)"
    if connection.execute(query.encode()).fetchone() != (True,):
        raise GalleryLockedError(
            expected="to be the only one who builds an index",
            got="another process that builds one now",
            advice="wait until it is done; `sameface gallery stats` says what is there",
        )


def create(connection: Connection, dimension: int, build: IndexBuild) -> None:
    """Build the index, where there is none.

    Args:
        connection: in a transaction, unless it is to be built beside writers.
    """
    memory = f"maintenance_work_mem = '{build.memory_mb}MB'"
    if build.concurrently:
        connection.execute(f"SET {memory}".encode())
    else:
        citus.set_local(connection, memory)
    connection.execute(
        f"CREATE INDEX {'CONCURRENTLY' if build.concurrently else ''} {INDEX} ON sameface_template"
        f" USING hnsw ((embedding::halfvec({dimension})) halfvec_l2_ops)"
        f" WITH (m = {build.m}, ef_construction = {build.ef_construction})".encode()
    )


def choose(connection: Connection, recall: float, build: IndexBuild, exact: Exact, shown: str) -> Tuning:
    """The smallest `ef_search` that reaches a recall, for one person and for as many as were asked, in all of the gallery and in its larger groups.

    Recall is the share of the people that an exact search finds who are found by the index too. Probes are stored templates, moved by half of the
    difference of two others: in the directions in which faces differ. Moved evenly in all directions they would be found too easily.

    Args:
        recall: wanted, in (0, 1].

    Raises:
        NotEnoughDataError: an empty gallery.
        RecallError: no setting reaches it.
    """
    probes = _probes(connection)
    asked = [
        (k, group, exact(probes, k, group))
        for group in (None, *_large_groups(connection))
        for k in sorted({1, build.neighbours})
    ]
    best = 0.0
    for ef_search in _TRIED:
        tuning = Tuning("hnsw", 1.0, len(probes), ef_search, build.neighbours, build.m, build.ef_construction)
        least = 1.0
        for k, group, right in asked:
            found = ranking.search(connection, probes, k, group, tuning, shown)
            least = min(least, _share(found, right))
            if least < recall:
                break
        best = max(best, least)
        if least >= recall:
            return Tuning("hnsw", least, len(probes), ef_search, build.neighbours, build.m, build.ef_construction)
    raise RecallError(
        expected=f"a recall of {recall:g} for the nearest {build.neighbours} in everybody and in every larger group",
        got=f"{best:.3f} at the largest ef_search, {_TRIED[-1]}, with m {build.m} and ef_construction {build.ef_construction}",
        advice=f"build with m {2 * build.m} and ef_construction {max(8 * build.m, 2 * build.ef_construction)}, ask for {_below(best)} or less, "
        "or leave the search exact, which reaches 1",
    )


def _below(recall: float) -> str:
    """A recall that was surely reached, to two digits."""
    return f"{int(100 * recall) / 100:.2f}"


def _share(found: Sequence[Sequence[Candidate]], right: Sequence[Sequence[Candidate]]) -> float:
    """Of the people that should be found, the share that is; of equally near ones, any will do."""
    hits = wanted = 0
    for mine, theirs in zip(found, right, strict=True):
        if theirs:
            hits += sum(candidate.distance <= theirs[-1].distance * (1 + 1e-6) for candidate in mine)
            wanted += len(theirs)
    return hits / wanted if wanted else 1.0


def _large_groups(connection: Connection) -> list[str]:
    query = """
        SELECT m.group_name FROM sameface_membership m JOIN sameface_template t USING (person_id)
        GROUP BY m.group_name HAVING count(*) > %s ORDER BY count(*), m.group_name
    """
    names = [row[0] for row in connection.execute(query, (ranking.SMALL_GROUP,)).fetchall()]
    return names if len(names) <= _GROUPS else [names[0], names[-1]]


def store(connection: Connection, tuning: Tuning) -> None:
    """Say in the gallery's settings how it is searched from now on."""
    values = (tuning.ef_search, tuning.recall, tuning.probes, tuning.neighbours, tuning.m, tuning.ef_construction)
    for key, value in zip(_SETTINGS, values, strict=True):
        connection.execute(
            "INSERT INTO sameface_gallery VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, str(value)),
        )


def drop(connection: Connection) -> None:
    """Take the index away: search is exact again."""
    connection.execute(f"DROP INDEX IF EXISTS {INDEX}".encode())
    connection.execute("DELETE FROM sameface_gallery WHERE key = ANY(%s)", (list(_SETTINGS),))


def chosen(settings: dict[str, str]) -> Tuning | None:
    """The index among a gallery's settings, None when its search is exact."""
    if "ef_search" not in settings:
        return None
    return Tuning(
        "hnsw",
        float(settings["recall"]),
        int(settings["recall_probes"]),
        int(settings["ef_search"]),
        int(settings.get("neighbours", 1)),  # an index of an earlier version was measured for the nearest one only
        int(settings.get("hnsw_m", 16)),
        int(settings.get("hnsw_ef_construction", 64)),
    )


def warn(index: Tuning) -> None:
    """Say it when an index names the wrong person too often."""
    if index.recall < ENOUGH:
        _log.warning(
            "the HNSW index finds the nearest template for %.1f %% of probes only; `gallery reindex --exact` searches exactly",
            100 * index.recall,
        )


def _probes(connection: Connection) -> Embeddings:
    rows: list[Any] = connection.execute(
        "SELECT embedding FROM sameface_template ORDER BY md5(template_id::text) LIMIT %s", (_PROBES,), binary=True
    ).fetchall()
    if not rows:
        raise NotEnoughDataError(
            expected="enrolled people to measure recall on", got="an empty gallery", advice="enroll people first"
        )
    vectors = np.stack([row[0].to_numpy() for row in rows]).astype(np.float64)
    away = np.roll(vectors, 1, axis=0) - np.roll(vectors, 2, axis=0)  # they come in no order: neighbours are strangers
    return (vectors + _AWAY * away).astype(np.float32)

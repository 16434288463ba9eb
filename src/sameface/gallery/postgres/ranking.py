"""Searching on the server: the server finds what may be nearest, the distance itself is ours.

pgvector sums squares in float32, so its order can be wrong in the last digits. The nearest templates are fetched, more of them until the last one is
surely farther than the k-th person, and those within that error are measured again by the one distance function, which also settles equal
distances.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.postgres.citus import set_local
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.postgres.rows import checked_vector
from sameface.gallery.store import Tuning, now
from sameface.matching import distance
from sameface.types import Candidate

#: Whose time is over, those who are held too: nobody names them.
_OVER: Final = "person_id NOT IN (SELECT person_id FROM sameface_person WHERE expires <> '' AND expires <= %(now)s)"
_OF_GROUP: Final = "person_id IN (SELECT person_id FROM sameface_membership WHERE group_name = %(group)s)"
#: Templates of a group up to which it is searched exactly although there is an approximate index: they are read in a few hundredths of a second.
SMALL_GROUP: Final = 20_000
#: Templates fetched at first, for each person wanted: people have several photos.
_EACH: Final = 8
#: The most neighbours that pgvector looks at.
MOST_EF: Final = 1000


@dataclass(frozen=True, slots=True)
class _Near:
    """A template, and how far it is by the server's arithmetic."""

    person_id: uuid.UUID
    template_id: int
    crc: int
    embedding: Any
    near: float


def search(
    connection: Connection, probes: npt.NDArray[np.float32], k: int, group: str | None, index: Tuning | None, shown: str
) -> list[list[Candidate]]:
    """Rank people for each probe: exactly, or by an index, where that was measured for so many people and so large a group."""
    if index is not None and (k > index.neighbours or (group is not None and _is_small(connection, group))):
        index = None
    if index is not None:
        ef_search = max(index.ef_search, min(MOST_EF, 2 * k))
        set_local(connection, f"hnsw.ef_search = {ef_search}", "hnsw.iterative_scan = strict_order")
        if group is not None:  # or it would give up before it met enough people of the group
            set_local(connection, "hnsw.max_scan_tuples = 2147483647", "hnsw.scan_mem_multiplier = 4")
    return [_search_one(connection, probe, k, group, index, shown) for probe in probes]


def _is_small(connection: Connection, group: str) -> bool:
    query = f"SELECT count(*) FROM (SELECT 1 FROM sameface_template WHERE {_OF_GROUP} LIMIT {SMALL_GROUP + 1}) AS few"
    row: Any = connection.execute(query.encode(), {"group": group}).fetchone()
    return bool(row[0] <= SMALL_GROUP)


def _search_one(
    connection: Connection, probe: npt.NDArray[np.float32], k: int, group: str | None, index: Tuning | None, shown: str
) -> list[Candidate]:
    # Of a float32 sum of d squares of differences, and its root, with room to spare; and what is lost of squares too small for float32.
    slack, tiny = (len(probe) + 16) * 2.0**-23, 1e-17
    wanted = _EACH * (k + 2)
    while True:
        found = _nearest(connection, probe, wanted, group, index)
        best: dict[uuid.UUID, float] = {}
        for item in found:
            best[item.person_id] = min(item.near, best.get(item.person_id, math.inf))
        limit = sorted(best.values())[k - 1] * (1 + slack) + tiny if len(best) >= k else math.inf
        # Enough when the last one is surely farther than the k-th person, or when there are no more.
        if len(found) < wanted or (limit < math.inf and (index is not None or found[-1].near > limit)):
            break
        wanted *= 4
    return _measured(connection, probe, k, [item for item in found if item.near <= limit], shown)


def _nearest(
    connection: Connection, probe: npt.NDArray[np.float32], wanted: int, group: str | None, index: Tuning | None
) -> list[_Near]:
    within = f"{_OVER} AND {_OF_GROUP}" if group is not None else _OVER
    # A sum cannot be answered from an index, whatever indexes there are and whatever is set on the machines that are asked: it stays exact.
    order = "near" if index is None else f"embedding::halfvec({len(probe)}) <-> %(probe)s::halfvec({len(probe)})"
    query = f"""
        SELECT person_id, template_id, crc, embedding, (embedding <-> %(probe)s) + 0 AS near
        FROM sameface_template WHERE {within} ORDER BY {order} LIMIT %(wanted)s
    """
    values: dict[str, Any] = {"probe": probe, "wanted": wanted, "group": group, "now": now()}
    rows = connection.execute(query.encode(), values, binary=True).fetchall()
    return [_Near(who, number, crc, vector, float(near)) for who, number, crc, vector, near in rows]


def _measured(
    connection: Connection, probe: npt.NDArray[np.float32], k: int, found: list[_Near], shown: str
) -> list[Candidate]:
    """The k nearest of the people whose templates were found."""
    query = "SELECT person_id, number, name FROM sameface_person WHERE person_id = ANY(%s)"
    ids = list({item.person_id for item in found})
    people = {row[0]: row[1:] for row in connection.execute(query.encode(), (ids,), binary=True)} if ids else {}
    nearest: dict[int, Candidate] = {}
    for item in found:
        if item.person_id not in people:
            continue  # a template of nobody: `check` says so
        number, name = people[item.person_id]
        value = distance(probe, checked_vector(item.embedding, item.crc, name, item.template_id, shown))
        if number not in nearest or value < nearest[number].distance:
            nearest[number] = Candidate(item.person_id.hex, name, value)
    ranked = sorted(nearest.items(), key=lambda item: (item[1].distance, item[0]))
    return [candidate for _, candidate in ranked[:k]]

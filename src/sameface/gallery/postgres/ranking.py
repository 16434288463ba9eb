"""Searching on the server: the server finds who may be nearest, the distance itself is ours.

pgvector sums squares in float32, so its order can be wrong in the last digits. Everybody within that error of the k-th is fetched and measured
again by the one distance function, which also settles equal distances.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.postgres.connections import Connection
from sameface.gallery.postgres.rows import checked_vector
from sameface.gallery.store import Tuning, now
from sameface.matching import distance
from sameface.types import Candidate

#: Relative error of a float32 sum of 16,000 squares, and of its root, with room to spare.
_SLACK: Final = 1e-3
#: Whose time is over, those who are held too: nobody names them.
_OVER: Final = (
    " AND person_id NOT IN (SELECT person_id FROM sameface_person WHERE expires <> '' AND expires <= %(now)s)"
)
_OF_GROUP: Final = " AND person_id IN (SELECT person_id FROM sameface_membership WHERE group_name = %(group)s)"


def search(
    connection: Connection, probes: npt.NDArray[np.float32], k: int, group: str | None, index: Tuning | None, shown: str
) -> list[list[Candidate]]:
    """Rank people for each probe; exact without an index, else among the templates that the index names."""
    if index is not None:
        connection.execute(f"SET LOCAL hnsw.ef_search = {max(index.ef_search, min(1000, 2 * k))}".encode())
        connection.execute(b"SET LOCAL hnsw.iterative_scan = strict_order")
    else:
        connection.execute(b"SET LOCAL enable_indexscan = off")
    return [_search_one(connection, probe, k, group, index, shown) for probe in probes]


def _search_one(
    connection: Connection, probe: npt.NDArray[np.float32], k: int, group: str | None, index: Tuning | None, shown: str
) -> list[Candidate]:
    wanted = k + 4
    while True:
        best = _near_people(connection, probe, wanted, group, index)
        # Enough when the last one fetched is surely farther than the k-th, or when there is nobody else.
        if len(best) < wanted or best[-1][1] > best[k - 1][1] * (1 + _SLACK) + 1e-30:
            break
        wanted *= 2
    if not best:
        return []
    limit = best[min(k, len(best)) - 1][1] * (1 + _SLACK) + 1e-30
    people = [found for found, value in best if value <= limit]
    return _measured(connection, probe, k, people, [value for _, value in best if value <= limit], shown)


def _near_people(
    connection: Connection, probe: npt.NDArray[np.float32], wanted: int, group: str | None, index: Tuning | None
) -> list[tuple[uuid.UUID, float]]:
    within = f"{_OVER}{_OF_GROUP}" if group is not None else _OVER
    values: dict[str, Any] = {"probe": probe, "wanted": wanted, "group": group, "rows": wanted, "now": now()}
    if index is None:
        query = f"""
            SELECT person_id, min(embedding <-> %(probe)s) AS near FROM sameface_template WHERE true{within}
            GROUP BY person_id ORDER BY near LIMIT %(wanted)s
        """
        return [
            (found, float(near)) for found, near in connection.execute(query.encode(), values, binary=True).fetchall()
        ]
    half = f"halfvec({len(probe)})"
    query = f"""
        SELECT person_id, min(near) AS near, count(*) FROM (
            SELECT person_id, embedding <-> %(probe)s AS near FROM sameface_template WHERE true{within}
            ORDER BY embedding::{half} <-> %(probe)s::{half} LIMIT %(rows)s
        ) AS nearby GROUP BY person_id ORDER BY near
    """
    while True:
        rows = connection.execute(query.encode(), values, binary=True).fetchall()
        seen = sum(row[2] for row in rows)
        if len(rows) >= wanted or seen < values["rows"]:
            return [(found, float(near)) for found, near, _ in rows[:wanted]]
        values["rows"] *= 4  # many photos of few people


def _measured(
    connection: Connection,
    probe: npt.NDArray[np.float32],
    k: int,
    people: list[uuid.UUID],
    near: list[float],
    shown: str,
) -> list[Candidate]:
    query = f"""
        SELECT p.number, p.person_id, p.name, t.template_id, t.crc, t.embedding
        FROM unnest(%s::uuid[], %s::float8[]) AS best (person_id, near)
        JOIN sameface_person p USING (person_id)
        JOIN sameface_template t USING (person_id)
        WHERE t.embedding <-> %s <= best.near * {1 + _SLACK} + 1e-30
    """
    found: dict[int, Candidate] = {}
    for number, person_id, name, template_id, crc, embedding in connection.execute(
        query.encode(), (people, near, probe), binary=True
    ):
        value = distance(probe, checked_vector(embedding, crc, name, template_id, shown))
        if number not in found or value < found[number].distance:
            found[number] = Candidate(person_id.hex, name, value)
    ranked = sorted(found.items(), key=lambda item: (item[1].distance, item[0]))
    return [candidate for _, candidate in ranked[:k]]

"""Checking, measuring and re-encoding a gallery on a server."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import EmbeddingError, PersonHeldError
from sameface.gallery.postgres import citus, hnsw, schema
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.rules.vectors import storable
from sameface.gallery.store import CheckReport, GalleryProblem, Stats, Tuning, now
from sameface.types import EmbeddingSpace

_NOBODYS: Final = "belongs to a person who is not there"
#: Templates that are written at a time where the tables are spread.
_AT_ONCE: Final = 1_000


def check(connection: Connection, dimension: int) -> CheckReport:
    """Read every row again; what is wrong is reported, not raised."""
    problems: list[GalleryProblem] = []
    names: dict[Any, str] = dict(connection.execute("SELECT person_id, name FROM sameface_person").fetchall())
    known: dict[str, Any] = dict(connection.execute("SELECT name, person_id FROM sameface_name").fetchall())
    problems += [
        GalleryProblem("name and person do not belong together", person=name)
        for found, name in names.items()
        if known.get(name) != found
    ]
    problems += [
        GalleryProblem("a name without a person", person=name) for name, found in known.items() if found not in names
    ]
    templates = 0
    with connection.cursor("everything", binary=True) as cursor:
        cursor.execute("SELECT person_id, template_id, crc, embedding FROM sameface_template ORDER BY template_id")
        for person_id, template_id, crc, embedding in cursor:
            templates += 1
            vector, person = embedding.to_numpy(), names.get(person_id, "")
            if zlib.crc32(vector.tobytes()) != crc:
                problems.append(
                    GalleryProblem("vector changed since it was written", person=person, template_id=template_id)
                )
            elif len(vector) != dimension:
                problems.append(GalleryProblem(f"not {dimension} numbers", person=person, template_id=template_id))
            elif person_id not in names:
                problems.append(GalleryProblem(_NOBODYS, template_id=template_id))
    return CheckReport(len(names), templates, tuple(problems))


def looked_again(connection: Connection, report: CheckReport) -> CheckReport:
    """What is still wrong at a second look, of a report that found something."""
    names: set[str] = {problem.person for problem in report.problems if problem.template_id is None}
    wrong = set()
    for name in names:
        bearers = {row[0] for row in connection.execute("SELECT person_id FROM sameface_name WHERE name = %s", (name,))}
        people = {
            row[0] for row in connection.execute("SELECT person_id FROM sameface_person WHERE name = %s", (name,))
        }
        if bearers != people:
            wrong.add(name)
    nobodys = {problem.template_id for problem in report.problems if problem.what == _NOBODYS}
    query = """
        SELECT t.template_id FROM sameface_template t LEFT JOIN sameface_person p USING (person_id)
        WHERE t.template_id = ANY(%s) AND p.person_id IS NULL
    """
    still = {row[0] for row in connection.execute(query.encode(), (list(nobodys),))} if nobodys else set()
    problems = [
        problem
        for problem in report.problems
        if (problem.person in wrong if problem.template_id is None else problem.template_id not in nobodys - still)
    ]
    return replace(report, problems=tuple(problems))


def stats(
    connection: Connection, location: str, bound: dict[str, str], index: Tuning | None, *, followed: bool
) -> Stats:
    """Sizes and settings."""

    def one(query: str) -> str:
        row = connection.execute(query.encode()).fetchone()
        return str(row[0]) if row else ""

    groups: dict[str, int] = dict(
        connection.execute(
            "SELECT group_name, count(*) FROM sameface_membership GROUP BY group_name ORDER BY group_name"
        ).fetchall()
    )
    spread = schema.is_distributed(bound)
    settings = {
        "engine": f"PostgreSQL {one('SHOW server_version')}",
        "pgvector": one("SELECT extversion FROM pg_extension WHERE extname = 'vector'"),
        "schema": bound["schema"],
        "machines": one("SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards") if spread else "1",
    }
    settings |= (
        {"search": "exact, by an index in this process" if followed else "exact, by the server"}
        if index is None
        else {
            "search": f"HNSW over half precision, m {index.m}, ef_construction {index.ef_construction}, ef_search {index.ef_search}",
            "recall": f"{index.recall:.3f} for the nearest {index.neighbours}, measured on {index.probes} probes",
        }
    )
    return Stats(
        location=location,
        space=schema.space_of(bound),
        dimension=int(bound["dimension"]),
        people=int(one("SELECT count(*) FROM sameface_person")),
        templates=int(one("SELECT count(*) FROM sameface_template")),
        groups=groups,
        bytes=citus.sizes(connection, spread=spread),
        settings=settings,
    )


def reembed(
    connection: Connection,
    space: EmbeddingSpace,
    dimension: int,
    vectors: Iterable[tuple[int, npt.ArrayLike]],
    *,
    drop_missing: bool,
    spread: bool,
) -> int:
    """Replace every embedding; the caller's transaction makes it all or none. Returns how many were replaced."""
    left: dict[int, Any] = dict(connection.execute("SELECT template_id, person_id FROM sameface_template").fetchall())
    hnsw.drop(connection)
    connection.execute(b"ALTER TABLE sameface_template ALTER COLUMN embedding TYPE vector")
    write = _written_one_by_one if spread else _written_at_once
    replaced = write(connection, dimension, vectors, left)
    if left and not drop_missing:
        raise EmbeddingError(
            expected="a new embedding for every template",
            got=f"none for {len(left)} of {len(left) + replaced}",
            advice="find their photos, or drop those templates on purpose",
        )
    held = connection.execute(
        "SELECT 1 FROM sameface_template JOIN sameface_person USING (person_id) WHERE template_id = ANY(%s) AND held LIMIT 1",
        (list(left),),
    ).fetchone()
    if held is not None:
        raise PersonHeldError(
            expected="templates of people who may be forgotten",
            got="some of people who are held",
            advice="find their photos, or lift the holds first, if you may",
        )
    connection.execute("DELETE FROM sameface_template WHERE template_id = ANY(%s)", (list(left),))
    connection.execute(f"ALTER TABLE sameface_template ALTER COLUMN embedding TYPE vector({dimension})".encode())
    values = {
        "encoder": space.encoder,
        "detector": space.detector,
        "alignment": space.alignment,
        "dimension": str(dimension),
    }
    for key, value in values.items():
        connection.execute("UPDATE sameface_gallery SET value = %s WHERE key = %s", (value, key))
    connection.execute(b"UPDATE sameface_gallery SET value = (value::bigint + 1)::text WHERE key = 'epoch'")
    connection.execute(
        "INSERT INTO sameface_audit (at, action, templates) VALUES (%s, %s, %s)",
        (now(), "reembed", replaced),
    )
    return replaced


def _written_at_once(
    connection: Connection, dimension: int, vectors: Iterable[tuple[int, npt.ArrayLike]], left: dict[int, Any]
) -> int:
    """Write new embeddings by way of a table of their own; whoever got one is taken out of `left`. Returns how many."""
    connection.execute(
        b"CREATE TEMPORARY TABLE fresh (template_id bigint, crc bigint, embedding vector) ON COMMIT DROP"
    )
    replaced = 0
    with connection.cursor() as cursor, cursor.copy(b"COPY fresh FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "int8", "vector"])
        for template_id, vector in vectors:
            if left.pop(template_id, None) is not None:
                array: npt.NDArray[np.float32] = storable(vector, dimension)
                copy.write_row((template_id, zlib.crc32(array.tobytes()), array))
                replaced += 1
    connection.execute(
        b"UPDATE sameface_template t SET embedding = f.embedding, crc = f.crc FROM fresh f WHERE f.template_id = t.template_id"
    )
    return replaced


def _written_one_by_one(
    connection: Connection, dimension: int, vectors: Iterable[tuple[int, npt.ArrayLike]], left: dict[int, Any]
) -> int:
    """The same where the tables are spread: each row is written where it lies. Citus does not join a table of one machine in an UPDATE."""
    replaced, items = 0, iter(vectors)
    while part := list(islice(items, _AT_ONCE)):
        rows = []
        for template_id, vector in part:
            owner = left.pop(template_id, None)
            if owner is not None:
                array: npt.NDArray[np.float32] = storable(vector, dimension)
                rows.append((array, zlib.crc32(array.tobytes()), owner, template_id))
        connection.cursor().executemany(
            "UPDATE sameface_template SET embedding = %s, crc = %s WHERE person_id = %s AND template_id = %s", rows
        )
        replaced += len(rows)
    return replaced

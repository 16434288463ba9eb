"""Rows on the server and the values they stand for. Plain functions on a connection; transactions are the caller's."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sameface.errors import GalleryDamagedError, PersonExistsError, PersonNotFoundError
from sameface.gallery.clock import now
from sameface.gallery.names import clean_groups, clean_name, details_json
from sameface.gallery.postgres.session import Connection
from sameface.gallery.store import NewPerson, StoredTemplate
from sameface.gallery.vectors import storable
from sameface.types import Box, Embeddings, Person, Template

_PEOPLE: Final = """
    SELECT p.person_id, p.name, p.details, p.created,
        (SELECT count(*) FROM sameface_template t WHERE t.person_id = p.person_id),
        ARRAY(SELECT m.group_name FROM sameface_membership m WHERE m.person_id = p.person_id)
    FROM sameface_person p
"""
_CHUNK: Final = 2000


def select_people(connection: Connection, where: str = "", values: Sequence[Any] = ()) -> list[Person]:
    """People in the order of enrolment."""
    rows = connection.execute(f"{_PEOPLE} {where} ORDER BY p.number".encode(), values).fetchall()
    return [
        Person(
            person_id=found.hex,
            name=name,
            details=json.loads(details),
            groups=tuple(sorted(groups)),
            photos=photos,
            created=created,
        )
        for found, name, details, created, photos, groups in rows
    ]


def find(connection: Connection, name: str) -> Person:
    """The person of a name. Raises PersonNotFoundError."""
    found = select_people(
        connection, "WHERE p.person_id = (SELECT person_id FROM sameface_name WHERE name = %s)", (clean_name(name),)
    )
    if not found:
        raise PersonNotFoundError(
            expected="an enrolled person",
            got=f"the name {name!r}",
            advice="`sameface people` lists all; enroll them first",
        )
    return found[0]


def find_id(connection: Connection, person_id: str) -> Person:
    """The person of an id. Raises PersonNotFoundError."""
    try:
        found = select_people(connection, "WHERE p.person_id = %s", (uuid.UUID(person_id),))
    except ValueError:
        found = []
    if not found:
        raise PersonNotFoundError(
            expected="an enrolled person", got=f"the id {person_id!r}", advice="`sameface people` lists all"
        )
    return found[0]


def numbers(connection: Connection, count: int) -> list[int]:
    """Fresh ascending numbers for people and templates."""
    rows = connection.execute("SELECT nextval('sameface_numbers') FROM generate_series(1, %s)", (count,)).fetchall()
    return sorted(row[0] for row in rows)


def insert_people(connection: Connection, people: Iterable[NewPerson], dimension: int) -> int:
    """Store new people with their templates. Returns how many templates.

    Raises:
        PersonExistsError, PersonNameError, EmbeddingError, SettingError.
    """
    stored, moment, iterator = 0, now(), iter(people)
    while chunk := list(islice(iterator, _CHUNK)):
        fresh = iter(numbers(connection, len(chunk) + sum(len(person.templates) for person in chunk)))
        names, persons, memberships, templates = [], [], [], []
        for person in chunk:
            found = uuid.UUID(person.person_id) if person.person_id else uuid.uuid4()
            name = clean_name(person.name)
            names.append((name, found))
            persons.append((found, next(fresh), name, details_json(person.details), person.created or moment))
            memberships += [(found, group) for group in clean_groups(person.groups)]
            templates += [template_row(found, next(fresh), template, dimension) for template in person.templates]
        _refuse_known(connection, names)
        _copy(connection, "sameface_name (name, person_id)", ["text", "uuid"], names)
        _copy(
            connection,
            "sameface_person (person_id, number, name, details, created)",
            ["uuid", "int8", "text", "text", "text"],
            persons,
        )
        _copy(connection, "sameface_membership (person_id, group_name)", ["uuid", "text"], memberships)
        copy_templates(connection, templates)
        stored += len(templates)
    return stored


def copy_templates(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store template rows, bit by bit."""
    columns = "sameface_template (person_id, template_id, crc, embedding, source, source_sha256, box, quality)"
    _copy(connection, columns, ["uuid", "int8", "int8", "vector", "text", "text", "float8[]", "float8"], rows)


def _copy(connection: Connection, columns: str, kinds: list[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types(kinds)
        for row in rows:
            copy.write_row(row)


def _refuse_known(connection: Connection, names: Sequence[tuple[str, uuid.UUID]]) -> None:
    seen: set[object] = set()
    for name, found in names:
        if name in seen or found in seen:
            raise name_taken(name)
        seen |= {name, found}
    known = connection.execute(
        "SELECT name FROM sameface_name WHERE name = ANY(%s) LIMIT 1", ([name for name, _ in names],)
    ).fetchone()
    if known is None:
        ids = [found for _, found in names]
        known = connection.execute(
            "SELECT name FROM sameface_person WHERE person_id = ANY(%s) LIMIT 1", (ids,)
        ).fetchone()
    if known is not None:
        raise name_taken(known[0])


def name_taken(name: str) -> PersonExistsError:
    """The error for a name or id that is enrolled."""
    return PersonExistsError(
        expected="a new name",
        got=f"{name!r}, which is enrolled",
        advice="add photos to that person, or choose another name",
    )


def template_row(found: uuid.UUID, template_id: int, template: Template, dimension: int) -> tuple[Any, ...]:
    """A template as `copy_templates` stores it. Raises EmbeddingError."""
    vector = storable(template.embedding, dimension)
    box = list(map(float, template.box.xyxy)) if template.box is not None else None
    quality = None if template.quality is None else float(template.quality)
    return (
        found,
        template_id,
        zlib.crc32(vector.tobytes()),
        vector,
        template.source,
        template.source_sha256,
        box,
        quality,
    )


def checked_vector(vector: Any, crc: int, name: str, template_id: int, shown: str) -> Embeddings:
    """The embedding of a row. Raises GalleryDamagedError when it is not what was stored."""
    array: Embeddings = vector.to_numpy()
    if zlib.crc32(array.tobytes()) != crc:
        raise GalleryDamagedError(
            expected=f"whole templates in {shown}",
            got=f"template {template_id} of {name!r} changed since it was written",
            advice="run `sameface gallery check` for all of them, then forget and enroll that person again, or restore a backup",
        )
    return array


def select_templates(connection: Connection, person: Person, shown: str) -> list[StoredTemplate]:
    """A person's templates in the order of enrolment, each checked. Raises GalleryDamagedError."""
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            "SELECT template_id, crc, embedding, source, source_sha256, box, quality"
            " FROM sameface_template WHERE person_id = %s ORDER BY template_id",
            (uuid.UUID(person.person_id),),
        ).fetchall()
    found = []
    for template_id, crc, embedding, source, digest, box, quality in rows:
        vector = checked_vector(embedding, crc, person.name, template_id, shown)
        template = Template(vector, source, digest, Box(*box) if box is not None else None, quality)
        found.append(StoredTemplate(template_id, person.person_id, template))
    return found


def replace_groups(connection: Connection, person_id: str, groups: Sequence[str]) -> None:
    """Set a person's groups."""
    found = uuid.UUID(person_id)
    connection.execute("DELETE FROM sameface_membership WHERE person_id = %s", (found,))
    _copy(
        connection,
        "sameface_membership (person_id, group_name)",
        ["uuid", "text"],
        [(found, group) for group in clean_groups(groups)],
    )


def set_details(connection: Connection, person_id: str, details: Mapping[str, str]) -> None:
    """Write a person's details anew. Raises SettingError."""
    connection.execute(
        "UPDATE sameface_person SET details = %s WHERE person_id = %s", (details_json(details), uuid.UUID(person_id))
    )


def note(connection: Connection, action: str, person_id: str, templates: int) -> None:
    """Add a line to the audit log."""
    found = uuid.UUID(person_id) if person_id else None
    connection.execute(
        "INSERT INTO sameface_audit (at, action, person_id, templates) VALUES (%s, %s, %s, %s)",
        (now(), action, found, templates),
    )

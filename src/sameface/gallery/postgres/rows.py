"""Rows on the server and the values they stand for. Plain functions on a connection; transactions are the caller's."""

from __future__ import annotations

import json
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sameface.errors import GalleryDamagedError
from sameface.gallery.base.finding import name_taken
from sameface.gallery.postgres import copying
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.rules.names import details_json
from sameface.gallery.rules.terms import Terms, end_of, rules_of, rules_text, terms_of, terms_of_person, terms_text
from sameface.gallery.store import NewPerson, StoredTemplate, now
from sameface.types import Box, Embeddings, Person, Retention, Template

#: Everything about people; a condition and an order follow.
PEOPLE: Final = """
    SELECT p.number, p.person_id, p.name, p.details, p.created, p.terms, p.expires,
        (SELECT count(*) FROM sameface_template t WHERE t.person_id = p.person_id),
        ARRAY(SELECT m.group_name FROM sameface_membership m WHERE m.person_id = p.person_id)
    FROM sameface_person p
"""
#: Whose time is not over, or who must be kept all the same. A moment follows.
THERE: Final = "(p.expires = '' OR p.expires > %s OR p.held)"

_PERSON: Final = "sameface_person (person_id, number, name, details, created, terms, expires, held)"
_TEMPLATE: Final = (
    "sameface_template (person_id, template_id, crc, embedding, source, source_sha256, box, quality, added)"
)


def select_people(
    connection: Connection, where: str = "", values: Sequence[Any] = (), limit: int | None = None
) -> list[tuple[int, Person]]:
    """People with their numbers, in the order of enrolment."""
    query = f"{PEOPLE} {where} ORDER BY p.number LIMIT %s"
    return [person_of(row) for row in connection.execute(query.encode(), (*values, limit)).fetchall()]


def person_of(row: Sequence[Any]) -> tuple[int, Person]:
    """Number and person of a row of `PEOPLE`."""
    number, found, name, details, created, stored, expires, photos, groups = row
    terms = terms_of(stored)
    return number, Person(
        person_id=found.hex,
        name=name,
        details=json.loads(details),
        groups=tuple(sorted(groups)),
        photos=photos,
        created=created,
        consent=terms.consent,
        keep_until=terms.keep_until,
        expires=expires,
        hold=terms.hold,
    )


def numbers(connection: Connection, count: int) -> list[int]:
    """Fresh ascending numbers for people and templates."""
    rows = connection.execute("SELECT nextval('sameface_numbers') FROM generate_series(1, %s)", (count,)).fetchall()
    return sorted(row[0] for row in rows)


def prepared(
    people: Sequence[NewPerson], vectors: Embeddings, fresh: Sequence[int], kept: Mapping[str, Retention]
) -> tuple[list[int], Callable[[Connection], None]]:
    """New people with their templates, put together without the server.

    Args:
        vectors: ``(n, dimension)``, of all templates.
        fresh: ascending numbers for all people and templates.
        kept: the gallery's rules of retention.

    Returns:
        The people's numbers, and what stores them: it waits for the server, and may be done by another thread while the next people are put together.
        It raises PersonExistsError for a name or an id that is there.

    Raises:
        PersonExistsError: a name or an id that comes twice.
    """
    _refuse_twice(people)
    taken, moment = iter(fresh), now()
    given, names, persons, memberships = [], [], [], []
    owners, placed, templates = [], [], list[Template]()
    for person in people:
        found, number = bytes.fromhex(person.person_id), next(taken)
        given.append(number)
        who, name = copying.identity(found), copying.text(person.name)
        terms = Terms(person.consent, person.keep_until, person.hold)
        names.append(copying.fields(name, who))
        persons.append(
            copying.fields(
                who,
                copying.number(number),
                name,
                copying.text(details_json(person.details)),
                copying.text(person.created),
                copying.text(terms_text(terms)),
                copying.text(end_of(terms, person.created, person.groups, kept)),
                copying.truth(bool(terms.hold)),
            )
        )
        memberships += [copying.fields(who, copying.text(group)) for group in person.groups]
        for template in person.templates:
            owners.append(found)
            placed.append(next(taken))
            templates.append(template)
    rows = copying.template_rows(owners, placed, templates, vectors, moment)

    def store(connection: Connection) -> None:
        _refuse_known(connection, people)
        copying.copy_in(connection, "sameface_name (name, person_id)", names)
        copying.copy_in(connection, _PERSON, persons)
        copying.copy_in(connection, "sameface_membership (person_id, group_name)", memberships)
        copying.copy_in(connection, _TEMPLATE, rows)

    return given, store


def insert_templates(
    connection: Connection, person: Person, templates: Sequence[Template], vectors: Embeddings
) -> None:
    """Store more templates of a known person."""
    owners = [bytes.fromhex(person.person_id)] * len(templates)
    fresh = numbers(connection, len(templates))
    copying.copy_in(connection, _TEMPLATE, copying.template_rows(owners, fresh, templates, vectors, now()))


def _refuse_twice(people: Sequence[NewPerson]) -> None:
    names, ids = set[str](), set[str]()
    for person in people:
        if person.name in names or person.person_id in ids:
            raise name_taken(person.name)
        names.add(person.name)
        ids.add(person.person_id)


def _refuse_known(connection: Connection, people: Sequence[NewPerson]) -> None:
    # Two queries, each by an index, and texts as they are: a driver that makes objects of ids takes longer than the server.
    query = (
        "SELECT name FROM sameface_name WHERE name = ANY(%s) UNION ALL"
        " SELECT name FROM sameface_person WHERE person_id = ANY(%s::uuid[]) LIMIT 1"
    )
    ids = "{" + ",".join(person.person_id for person in people) + "}"
    known = connection.execute(query.encode(), ([person.name for person in people], ids)).fetchone()
    if known is not None:
        raise name_taken(known[0])


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


def select_templates(connection: Connection, people: Sequence[Person], shown: str) -> dict[str, list[StoredTemplate]]:
    """Templates of people by their id, in the order of enrolment, each checked. Raises GalleryDamagedError."""
    found: dict[str, list[StoredTemplate]] = {person.person_id: [] for person in people}
    names = {person.person_id: person.name for person in people}
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            "SELECT person_id, template_id, crc, embedding, source, source_sha256, box, quality, added"
            " FROM sameface_template WHERE person_id = ANY(%s) ORDER BY template_id",
            ([uuid.UUID(person_id) for person_id in found],),
        )
        for owner, template_id, crc, embedding, source, digest, box, quality, added in rows:
            vector = checked_vector(embedding, crc, names[owner.hex], template_id, shown)
            template = Template(vector, source, digest, Box(*box) if box is not None else None, quality, added)
            found[owner.hex].append(StoredTemplate(template_id, owner.hex, template))
    return found


def update_person(connection: Connection, person: Person, name: str, details: Mapping[str, str]) -> None:
    """Write a person's name and details anew. Raises PersonExistsError."""
    found = uuid.UUID(person.person_id)
    if name != person.name:
        made = connection.execute("INSERT INTO sameface_name VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, found))
        if not made.rowcount:
            raise name_taken(name)
        connection.execute("DELETE FROM sameface_name WHERE name = %s", (person.name,))
    connection.execute(
        "UPDATE sameface_person SET name = %s, details = %s WHERE person_id = %s", (name, details_json(details), found)
    )


def replace_groups(connection: Connection, person: Person, groups: Sequence[str]) -> None:
    """Set a person's groups."""
    found = uuid.UUID(person.person_id)
    connection.execute("DELETE FROM sameface_membership WHERE person_id = %s", (found,))
    told = [copying.fields(copying.identity(found.bytes), copying.text(group)) for group in groups]
    copying.copy_in(connection, "sameface_membership (person_id, group_name)", told)
    write_ends(connection, "WHERE p.person_id = %s", (found,), rules(connection))


def update_terms(connection: Connection, person: Person, terms: Terms) -> None:
    """Set a person's consent, own retention and hold."""
    found = uuid.UUID(person.person_id)
    connection.execute(
        "UPDATE sameface_person SET terms = %s, held = %s WHERE person_id = %s",
        (terms_text(terms), bool(terms.hold), found),
    )
    write_ends(connection, "WHERE p.person_id = %s", (found,), rules(connection))


def rules(connection: Connection) -> dict[str, Retention]:
    """How long people are kept, by group."""
    row = connection.execute("SELECT value FROM sameface_gallery WHERE key = 'retention'").fetchone()
    return rules_of(row[0] if row else "")


def write_rules(connection: Connection, kept: Mapping[str, Retention]) -> None:
    """Set how long people are kept, by group."""
    connection.execute("UPDATE sameface_gallery SET value = %s WHERE key = 'retention'", (rules_text(kept),))


def write_ends(connection: Connection, where: str, values: Sequence[Any], kept: Mapping[str, Retention]) -> None:
    """Write the ends of some people anew, as their terms, groups and the rules say."""
    ends = [
        (end_of(terms_of_person(person), person.created, person.groups, kept), uuid.UUID(person.person_id))
        for _, person in select_people(connection, where, values)
    ]
    connection.cursor().executemany("UPDATE sameface_person SET expires = %s WHERE person_id = %s", ends)


def move_templates(connection: Connection, source: Person, target: Person) -> int:
    """Give all templates of one person to another. Not an UPDATE: the owner is the column that the table may be distributed by."""
    old, new = uuid.UUID(source.person_id), uuid.UUID(target.person_id)
    moved = connection.execute(
        """
        INSERT INTO sameface_template (person_id, template_id, crc, embedding, source, source_sha256, box, quality, added)
        SELECT %s, template_id, crc, embedding, source, source_sha256, box, quality, added FROM sameface_template WHERE person_id = %s
        """,
        (new, old),
    ).rowcount
    erase_templates(connection, [source])
    return moved


def erase_templates(connection: Connection, people: Sequence[Person], template_id: int | None = None) -> dict[str, int]:
    """Delete people's templates, or the one. Returns how many, by their ids."""
    found = [uuid.UUID(person.person_id) for person in people]
    query, values = "DELETE FROM sameface_template WHERE person_id = ANY(%s)", (found,)
    if template_id is not None:
        query, values = f"{query} AND template_id = %s", (found, template_id)  # type: ignore[assignment]
    gone = connection.execute(f"{query} RETURNING person_id".encode(), values).fetchall()
    return dict(Counter(row[0].hex for row in gone))


def remove_people(connection: Connection, people: Sequence[Person]) -> None:
    """Delete people without templates."""
    found = [uuid.UUID(person.person_id) for person in people]
    connection.execute("DELETE FROM sameface_membership WHERE person_id = ANY(%s)", (found,))
    connection.execute("DELETE FROM sameface_name WHERE name = ANY(%s)", ([person.name for person in people],))
    connection.execute("DELETE FROM sameface_person WHERE person_id = ANY(%s)", (found,))


def note(connection: Connection, action: str, whose: Sequence[tuple[str, int]]) -> None:
    """Add a line to the audit log for each id ("" for the whole gallery) and how many templates were concerned."""
    moment = now()
    connection.cursor().executemany(
        "INSERT INTO sameface_audit (at, action, person_id, templates) VALUES (%s, %s, %s, %s)",
        [(moment, action, uuid.UUID(person_id) if person_id else None, count) for person_id, count in whose],
    )


def tell(connection: Connection, changes: Sequence[tuple[int, int, bool, int | None]]) -> None:
    """Tell live indexes of people, from a number to a number, of whom something changed; whether any was taken away; how many templates are left."""
    connection.cursor().executemany(
        "INSERT INTO sameface_change (first, last, erased, photos) VALUES (%s, %s, %s, %s)", changes
    )


def shorten_changes(connection: Connection) -> None:
    """Of changes that every snapshot shows, keep the last: a cache that knows none of those that went is made again."""
    connection.execute(
        b"DELETE FROM sameface_change WHERE xid < pg_snapshot_xmin(pg_current_snapshot())"
        b" AND number < (SELECT max(number) FROM sameface_change)"
    )

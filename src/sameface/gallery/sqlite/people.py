"""People's rows of a gallery file and the values they stand for. Plain functions on a connection; transactions are the caller's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sameface.errors import GalleryDamagedError, PersonExistsError, SamefaceError
from sameface.gallery.base.finding import name_taken
from sameface.gallery.rules.names import details_json
from sameface.gallery.rules.terms import Terms, end_of, rules_of, terms_of, terms_text
from sameface.gallery.sqlite import rows, sums
from sameface.gallery.sqlite.schema import setting
from sameface.gallery.sqlite.vault import Vault
from sameface.gallery.store import NewPerson
from sameface.types import Embeddings, Person, Retention

_SEPARATOR: Final = "\x1f"  # never in a group's name: it is a control character
#: Everything about people: the columns of their row but the handle (see `texts_of`), how many templates, groups as one text (see `groups_of`).
PEOPLE: Final = f"""
    SELECT p.person_key, p.person_id, p.name, p.details, p.created, p.terms, p.expires, p.held, p.sum,
        (SELECT count(*) FROM template t WHERE t.person_key = p.person_key),
        (SELECT group_concat(m.group_name, '{_SEPARATOR}') FROM membership m WHERE m.person_key = p.person_key)
    FROM person p
"""
#: Whose time is not over, or who must be kept all the same. A moment follows.
THERE: Final = "(p.expires = '' OR p.expires > ? OR p.held)"
_COLUMNS: Final = "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#: Values in one list of a statement.
_AT_ONCE: Final = 500


def select_people(
    connection: sqlite3.Connection,
    vault: Vault,
    where: str = "",
    values: Sequence[Any] = (),
    limit: int | None = None,
) -> Iterator[tuple[int, Person]]:
    """People with their keys, in the order of enrolment.

    Raises:
        GalleryDamagedError: a row that was changed.
    """
    query = f"{PEOPLE} {where} ORDER BY p.person_key LIMIT ?"
    return (_person(row, vault) for row in connection.execute(query, (*values, -1 if limit is None else limit)))


def _person(row: tuple[Any, ...], vault: Vault) -> tuple[int, Person]:
    key, person_id, _, _, created, _, expires, held, _, photos, groups = row
    names = groups_of(groups)
    name, details, terms = texts_of(row, vault)
    own = terms_of(terms)
    if not is_whole(row, vault) or bool(own.hold) != bool(held):
        raise GalleryDamagedError(
            expected="people as they were enrolled",
            got=f"a changed row, number {key}",
            advice="run `sameface gallery check`, then restore a backup",
        )
    return key, Person(
        person_id=person_id.hex(),
        name=name,
        details=json.loads(details),
        groups=tuple(sorted(names)),
        photos=photos,
        created=created,
        consent=own.consent,
        keep_until=own.keep_until,
        expires=expires,
        hold=own.hold,
    )


def texts_of(row: Sequence[Any], vault: Vault) -> tuple[str, str, str]:
    """Name, details and terms of a row of `PEOPLE`. Raises GalleryDamagedError."""
    key = row[0]
    return (
        vault.unseal_text(row[2], "name", key),
        vault.unseal_text(row[3], "details", key),
        vault.unseal_text(row[5], "terms", key),
    )


def is_whole(row: Sequence[Any], vault: Vault) -> bool:
    """Whether a row of `PEOPLE` is as it was written."""
    key, person_id, _, _, created, _, expires, held, made, _, groups = row
    try:
        name, details, terms = texts_of(row, vault)
    except SamefaceError:
        return False
    fields = key, person_id, name, details, created, terms, expires, held, groups_of(groups)
    return sums.fits(made, vault, sums.of_person, *fields)


def groups_of(joined: str | None) -> list[str]:
    """Groups that the database put into one text."""
    return joined.split(_SEPARATOR) if joined else []


def rules(connection: sqlite3.Connection) -> dict[str, Retention]:
    """How long people are kept, by group."""
    return rules_of(setting(connection, "retention"))


def _row(
    vault: Vault,
    key: int,
    person_id: bytes,
    name: str,
    details: str,
    created: str,
    terms: Terms,
    expires: str,
    groups: Sequence[str],
) -> tuple[Any, ...]:
    """A person as they are stored."""
    text = terms_text(terms)
    held = int(bool(terms.hold))
    return (
        key,
        person_id,
        vault.seal_text(name, "name", key),
        vault.handle(name),
        vault.seal_text(details, "details", key),
        created,
        vault.seal_text(text, "terms", key),
        expires,
        held,
        vault.sum(sums.of_person(key, person_id, name, details, created, text, expires, held, groups)),
    )


def insert_people(
    connection: sqlite3.Connection, people: Sequence[NewPerson], vectors: Embeddings, vault: Vault
) -> None:
    """Store new people with their templates, whose vectors are ``(n, dimension)``. Raises PersonExistsError."""
    made, memberships, kept = [], [], rules(connection)
    templates = []
    for key, person in enumerate(people, rows.last(connection, "person") + 1):
        terms = Terms(person.consent, person.keep_until, person.hold)
        expires = end_of(terms, person.created, person.groups, kept)
        details = details_json(person.details)
        raw = bytes.fromhex(person.person_id)
        made.append(_row(vault, key, raw, person.name, details, person.created, terms, expires, person.groups))
        memberships += [(group, key) for group in person.groups]
        templates += [(key, template) for template in person.templates]
    if len(vault.handles("")) > 1 and _bearers(connection, vault, [person.name for person in people]):
        raise _taken(connection, vault, people, made[0][0])
    try:
        connection.executemany(_COLUMNS, made)
    except sqlite3.IntegrityError:
        raise _taken(connection, vault, people, made[0][0]) from None
    connection.executemany("INSERT INTO membership VALUES (?, ?)", memberships)
    rows.insert(connection, vault, templates, vectors)


def _bearers(connection: sqlite3.Connection, vault: Vault, names: Sequence[str]) -> bool:
    """Whether any of some names is taken, by any key: while keys are changed the database alone cannot tell."""
    handles = [handle for name in names for handle in vault.handles(name)]
    parts = [handles[start : start + _AT_ONCE] for start in range(0, len(handles), _AT_ONCE)]
    query = "SELECT 1 FROM person WHERE handle IN ({}) LIMIT 1"
    return any(connection.execute(query.format(",".join("?" * len(part))), part).fetchone() for part in parts)


def _taken(connection: sqlite3.Connection, vault: Vault, people: Sequence[NewPerson], first: int) -> PersonExistsError:
    """Which of the people's names or ids was there before."""
    seen = set()
    for person in people:
        handles = vault.handles(person.name)
        marks = ",".join("?" * len(handles))
        before = connection.execute(
            f"SELECT 1 FROM person WHERE (handle IN ({marks}) OR person_id = ?) AND person_key < ?",
            (*handles, bytes.fromhex(person.person_id), first),
        ).fetchone()
        if before or person.name in seen or person.person_id in seen:
            return name_taken(person.name)
        seen |= {person.name, person.person_id}
    return name_taken(people[0].name)


def bearer(connection: sqlite3.Connection, vault: Vault, name: str) -> list[tuple[int, Person]]:
    """Whoever bears a name, their time over or not."""
    handles = vault.handles(name)
    where = f"WHERE p.handle IN ({','.join('?' * len(handles))})"
    return [found for found in select_people(connection, vault, where, handles) if found[1].name == name]


def update_person(
    connection: sqlite3.Connection,
    vault: Vault,
    key: int,
    *,
    name: str | None = None,
    details: Mapping[str, str] | None = None,
    terms: Terms | None = None,
    groups: Sequence[str] | None = None,
) -> None:
    """Write anew what is given of somebody who was found whole in this transaction. Raises PersonExistsError."""
    if name is not None and any(other != key for other, _ in bearer(connection, vault, name)):
        raise name_taken(name)
    if groups is not None:
        connection.execute("DELETE FROM membership WHERE person_key = ?", (key,))
        connection.executemany("INSERT INTO membership VALUES (?, ?)", [(group, key) for group in groups])
    rewrite(connection, vault, key, rules(connection), name=name, details=details, terms=terms)


def rewrite(
    connection: sqlite3.Connection,
    vault: Vault,
    key: int,
    kept: Mapping[str, Retention],
    *,
    name: str | None = None,
    details: Mapping[str, str] | None = None,
    terms: Terms | None = None,
) -> None:
    """Write somebody's row anew, in today's form: sealed, summed and with the end that follows from their terms and groups."""
    row = connection.execute(f"{PEOPLE} WHERE p.person_key = ?", (key,)).fetchone()
    _, person_id, _, _, created, _, _, _, _, _, joined = row
    old_name, old_details, old_terms = texts_of(row, vault)
    groups = groups_of(joined)
    new_terms = terms_of(old_terms) if terms is None else terms
    made = _row(
        vault,
        key,
        person_id,
        old_name if name is None else name,
        old_details if details is None else details_json(details),
        created,
        new_terms,
        end_of(new_terms, created, groups, kept),
        groups,
    )
    connection.execute(
        "UPDATE person SET name = ?, handle = ?, details = ?, created = ?, terms = ?, expires = ?, held = ?, sum = ?"
        " WHERE person_key = ?",
        (*made[2:], key),
    )


def remove(connection: sqlite3.Connection, keys: Sequence[int]) -> None:
    """Take away people without templates."""
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        marks = ",".join("?" * len(part))
        connection.execute(f"DELETE FROM membership WHERE person_key IN ({marks})", part)
        connection.execute(f"DELETE FROM person WHERE person_key IN ({marks})", part)

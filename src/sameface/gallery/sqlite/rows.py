"""Rows of a gallery file and the values they stand for. Plain functions on a connection; transactions are the caller's."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from sameface.errors import GalleryDamagedError, PersonExistsError
from sameface.gallery.base.finding import name_taken
from sameface.gallery.rules.names import details_json
from sameface.gallery.sqlite import sums
from sameface.gallery.sqlite.record import is_sound, pack, pack_rows, tombstone, unpack
from sameface.gallery.sqlite.vault import PLAIN, Vault
from sameface.gallery.store import NewPerson, StoredTemplate
from sameface.types import Box, Embeddings, Person, Template

_SEPARATOR: Final = "\x1f"  # never in a group's name: it is a control character
#: Everything about people: key, id, name, details, created, sum, how many templates, groups as one text (see `groups_of`).
PEOPLE: Final = f"""
    SELECT p.person_key, p.person_id, p.name, p.details, p.created, p.sum,
        (SELECT count(*) FROM template t WHERE t.person_key = p.person_key),
        (SELECT group_concat(m.group_name, '{_SEPARATOR}') FROM membership m WHERE m.person_key = p.person_key)
    FROM person p
"""
_BOX: Final = struct.Struct("<4d")


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
    key, person_id, name, details, created, made, photos, groups = row
    names = groups_of(groups)
    if not sums.fits(made, vault, sums.of_person, key, person_id, name, details, created, names):
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
    )


def groups_of(joined: str | None) -> list[str]:
    """Groups that the database put into one text."""
    return joined.split(_SEPARATOR) if joined else []


def insert_people(
    connection: sqlite3.Connection, people: Sequence[NewPerson], vectors: Embeddings, vault: Vault
) -> None:
    """Store new people with their templates, whose vectors are ``(n, dimension)``. Raises PersonExistsError."""
    rows, memberships = [], []
    templates: list[tuple[Any, ...]] = []
    owners: list[int] = []
    first = _last(connection, "vector") + 1
    for key, person in enumerate(people, _last(connection, "person") + 1):
        row = key, bytes.fromhex(person.person_id), person.name, details_json(person.details), person.created
        rows.append((*row, vault.sum(sums.of_person(*row, person.groups))))
        memberships += [(group, key) for group in person.groups]
        for template in person.templates:
            templates.append(_template_row(vault, first + len(templates), key, template))
            owners.append(key)
    try:
        connection.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)", rows)
    except sqlite3.IntegrityError:
        raise _taken(connection, rows) from None
    connection.executemany("INSERT INTO membership VALUES (?, ?)", memberships)
    _insert(connection, _records(first, owners, vectors, vault), templates)


def _taken(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> PersonExistsError:
    """Which of the rows' names or ids was there before."""
    first, seen = rows[0][0], set()
    for _, person_id, name, *_ in rows:
        twice = name in seen or person_id in seen
        before = connection.execute(
            "SELECT 1 FROM person WHERE (name = ? OR person_id = ?) AND person_key < ?", (name, person_id, first)
        ).fetchone()
        if twice or before:
            return name_taken(name)
        seen |= {name, person_id}
    return name_taken(rows[0][2])


def insert_templates(
    connection: sqlite3.Connection, key: int, templates: Sequence[Template], vectors: Embeddings, vault: Vault
) -> None:
    """Store more templates of a known person."""
    first = _last(connection, "vector") + 1
    rows = [_template_row(vault, template_id, key, template) for template_id, template in enumerate(templates, first)]
    _insert(connection, _records(first, [key] * len(rows), vectors, vault), rows)


def _insert(
    connection: sqlite3.Connection, vectors: Sequence[tuple[int, bytes]], templates: Sequence[tuple[Any, ...]]
) -> None:
    connection.executemany("INSERT INTO vector VALUES (?, ?)", vectors)
    connection.executemany("INSERT INTO template VALUES (?, ?, ?, ?, ?, ?, ?)", templates)


def _last(connection: sqlite3.Connection, table: str) -> int:
    """The highest number that was ever given out in a table."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) if row else 0


def _records(first: int, keys: Sequence[int], vectors: Embeddings, vault: Vault) -> list[tuple[int, bytes]]:
    """Template ids, from `first` on, and the record of each vector."""
    ids = range(first, first + len(keys))
    vault.require_storable()
    if vault.scheme == PLAIN:
        return list(zip(ids, pack_rows(keys, vectors), strict=True))
    return [
        (number, pack(key, vault.seal(row.tobytes(), key, number)))
        for number, key, row in zip(ids, keys, vectors, strict=True)
    ]


def _template_row(vault: Vault, template_id: int, key: int, template: Template) -> tuple[Any, ...]:
    box = _BOX.pack(*template.box.xyxy) if template.box is not None else None
    quality = None if template.quality is None else float(template.quality)
    row = template_id, key, template.source, template.source_sha256, box, quality
    return *row, vault.sum(sums.of_template(*row))


def select_templates(
    connection: sqlite3.Connection, key: int, person: Person, vault: Vault, location: str
) -> list[StoredTemplate]:
    """A person's templates in the order of enrolment, each checked. Raises GalleryDamagedError, which names the template."""
    rows = connection.execute(
        "SELECT t.template_id, v.record, t.source, t.source_sha256, t.box, t.quality, t.sum"
        " FROM template t LEFT JOIN vector v USING (template_id) WHERE t.person_key = ? ORDER BY t.template_id",
        (key,),
    )
    found = []
    for template_id, record, source, digest, box, quality, made in rows:
        owner, stored = unpack(record) if is_sound(record) else (0, b"")
        whole = sums.fits(made, vault, sums.of_template, template_id, key, source, digest, box, quality)
        if owner != key or not whole:
            raise damaged_template(location, person.name, template_id)
        vector = np.frombuffer(vault.unseal(stored, key, template_id), dtype="<f4")
        where = Box(*_BOX.unpack(box)) if box is not None else None
        found.append(StoredTemplate(template_id, person.person_id, Template(vector, source, digest, where, quality)))
    return found


def damaged_template(location: str, name: str, template_id: int) -> GalleryDamagedError:
    """The error for a vector that is not what was written."""
    return GalleryDamagedError(
        expected=f"whole templates in {location}",
        got=f"template {template_id} of {name!r} changed since it was written",
        advice="run `sameface gallery check` for all of them, then forget and enroll that person again, or restore a backup",
    )


def damaged_row(location: str, what: str) -> GalleryDamagedError:
    """The error for a row that is not what was written."""
    return GalleryDamagedError(
        expected=f"rows as they were written in {location}",
        got=f"{what} changed since",
        advice="run `sameface gallery check` for all of them, then restore a backup",
    )


def erase_templates(connection: sqlite3.Connection, vault: Vault, key: int, template_id: int | None = None) -> int:
    """Overwrite vectors in place, take their rows out of the record, and tell the caches. Returns how many."""
    condition, values = "person_key = ?", [key]
    if template_id is not None:
        condition, values = f"{condition} AND template_id = ?", [key, template_id]
    rows = connection.execute(
        f"SELECT template_id, length(record) FROM vector WHERE template_id IN (SELECT template_id FROM template WHERE {condition})",
        values,
    ).fetchall()
    connection.executemany(
        "UPDATE vector SET record = ? WHERE template_id = ?", [(tombstone(length), number) for number, length in rows]
    )
    count = connection.execute(f"DELETE FROM template WHERE {condition}", values).rowcount
    _tell_caches(connection, vault, key)
    return count


def _tell_caches(connection: sqlite3.Connection, vault: Vault, key: int) -> None:
    seq = _last(connection, "change") + 1
    connection.execute("INSERT INTO change VALUES (?, ?, ?)", (seq, key, vault.sum(sums.of_change(seq, key))))


def move_templates(connection: sqlite3.Connection, vault: Vault, source: int, target: int) -> int:
    """Give all templates of one person to another. Sums and seals follow, for they cover the owner; what was damaged stays so."""
    rows = connection.execute(
        "SELECT t.template_id, v.record, t.source, t.source_sha256, t.box, t.quality, t.sum"
        " FROM template t LEFT JOIN vector v USING (template_id) WHERE t.person_key = ?",
        (source,),
    ).fetchall()
    for number, record, *about, made in rows:
        whole = sums.fits(made, vault, sums.of_template, number, source, *about)
        fresh = vault.sum(sums.of_template(number, target, *about)) if whole else sums.WRONG
        connection.execute("UPDATE template SET person_key = ?, sum = ? WHERE template_id = ?", (target, fresh, number))
        if record is not None:
            connection.execute(
                "UPDATE vector SET record = ? WHERE template_id = ?",
                (_moved(record, vault, source, target, number), number),
            )
    for key in (source, target):
        _tell_caches(connection, vault, key)
    return len(rows)


def _moved(record: bytes, vault: Vault, source: int, target: int, number: int) -> bytes:
    """A record under another owner; a damaged one stays recognisably damaged."""
    owner, stored = unpack(record)
    if is_sound(record) and owner == source:
        with suppress(GalleryDamagedError):
            return pack(target, vault.seal(vault.unseal(stored, source, number), target, number))
    fresh = pack(target, stored)
    return fresh[:-1] + bytes([fresh[-1] ^ 0xFF])


def update_person(
    connection: sqlite3.Connection, vault: Vault, key: int, name: str, details: Mapping[str, str]
) -> None:
    """Write a person's name and details anew. Raises PersonExistsError."""
    text = details_json(details)
    try:
        connection.execute("UPDATE person SET name = ?, details = ? WHERE person_key = ?", (name, text, key))
    except sqlite3.IntegrityError:
        raise name_taken(name) from None
    _sum_up(connection, vault, key)


def replace_groups(connection: sqlite3.Connection, vault: Vault, key: int, groups: Sequence[str]) -> None:
    """Set a person's groups."""
    connection.execute("DELETE FROM membership WHERE person_key = ?", (key,))
    connection.executemany("INSERT INTO membership VALUES (?, ?)", [(group, key) for group in groups])
    _sum_up(connection, vault, key)


def _sum_up(connection: sqlite3.Connection, vault: Vault, key: int) -> None:
    """Write the sum of somebody who was found whole in this transaction and changed since."""
    query = f"{PEOPLE} WHERE p.person_key = ?"
    _, person_id, name, details, created, _, _, groups = connection.execute(query, (key,)).fetchone()
    made = vault.sum(sums.of_person(key, person_id, name, details, created, groups_of(groups)))
    connection.execute("UPDATE person SET sum = ? WHERE person_key = ?", (made, key))

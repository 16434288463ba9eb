"""Rows of a gallery file and the values they stand for. Plain functions on a connection; transactions are the caller's."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import numpy as np

from sameface.errors import GalleryDamagedError, PersonExistsError, PersonNotFoundError
from sameface.gallery.clock import now
from sameface.gallery.names import clean_groups, clean_name, details_json
from sameface.gallery.sqlite import sums
from sameface.gallery.sqlite.record import is_sound, pack, pack_rows, tombstone, unpack
from sameface.gallery.sqlite.vault import PLAIN, Vault
from sameface.gallery.store import NewPerson, StoredTemplate
from sameface.gallery.vectors import storable_rows
from sameface.types import Box, Person, Template

_SEPARATOR: Final = "\x1f"  # never in a group's name: it is a control character
#: Everything about people: key, id, name, details, created, sum, how many templates, groups as one text (see `groups_of`).
PEOPLE: Final = f"""
    SELECT p.person_key, p.person_id, p.name, p.details, p.created, p.sum,
        (SELECT count(*) FROM template t WHERE t.person_key = p.person_key),
        (SELECT group_concat(m.group_name, '{_SEPARATOR}') FROM membership m WHERE m.person_key = p.person_key)
    FROM person p
"""
_BOX: Final = struct.Struct("<4d")
_CHUNK: Final = 2000


def select_people(
    connection: sqlite3.Connection, vault: Vault, where: str = "", values: Sequence[Any] = ()
) -> list[tuple[int, Person]]:
    """People with their keys, in the order of enrolment.

    Raises:
        GalleryDamagedError: a row that was changed.
    """
    return [_person(row, vault) for row in connection.execute(f"{PEOPLE} {where} ORDER BY p.person_key", values)]


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


def find(connection: sqlite3.Connection, vault: Vault, name: str) -> tuple[int, Person]:
    """The person of a name. Raises PersonNotFoundError."""
    found = select_people(connection, vault, "WHERE p.name = ?", (clean_name(name),))
    if not found:
        raise PersonNotFoundError(
            expected="an enrolled person",
            got=f"the name {name!r}",
            advice="`sameface people` lists all; enroll them first",
        )
    return found[0]


def find_id(connection: sqlite3.Connection, vault: Vault, person_id: str) -> tuple[int, Person]:
    """The person of an id. Raises PersonNotFoundError."""
    try:
        raw = bytes.fromhex(person_id)
    except ValueError:
        raw = b""
    found = select_people(connection, vault, "WHERE p.person_id = ?", (raw,))
    if not found:
        raise PersonNotFoundError(
            expected="an enrolled person", got=f"the id {person_id!r}", advice="`sameface people` lists all"
        )
    return found[0]


def insert_people(connection: sqlite3.Connection, people: Iterable[NewPerson], dimension: int, vault: Vault) -> int:
    """Store new people with their templates. Returns how many templates.

    Raises:
        PersonExistsError, PersonNameError, EmbeddingError, SettingError.
    """
    key, stored, moment = _last(connection, "person"), 0, now()
    template_id = _last(connection, "vector")
    iterator = iter(people)
    while chunk := list(islice(iterator, _CHUNK)):
        rows, memberships, templates = [], [], []
        numbered: list[tuple[int, int, Template]] = []
        for person, fresh in zip(chunk, _new_ids(len(chunk)), strict=True):
            key += 1
            name, details = clean_name(person.name), details_json(person.details)
            person_id = bytes.fromhex(person.person_id) if person.person_id else fresh
            created, groups = person.created or moment, clean_groups(person.groups)
            made = vault.sum(sums.of_person(key, person_id, name, details, created, groups))
            rows.append((key, person_id, name, details, created, made))
            memberships += [(group, key) for group in groups]
            for template in person.templates:
                template_id += 1
                numbered.append((template_id, key, template))
                templates.append(_template_row(vault, template_id, key, template))
        try:
            connection.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.IntegrityError:
            raise _taken(connection, rows) from None
        connection.executemany("INSERT INTO membership VALUES (?, ?)", memberships)
        _insert(connection, _records(numbered, dimension, vault), templates)
        stored += len(templates)
    return stored


def _new_ids(count: int) -> list[bytes]:
    """Random UUIDs (version 4), all from one look at the system's randomness, which a million people notice."""
    raw = np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16).copy()
    raw[:, 6], raw[:, 8] = raw[:, 6] & 0x0F | 0x40, raw[:, 8] & 0x3F | 0x80
    return [row.tobytes() for row in raw]


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


def name_taken(name: str) -> PersonExistsError:
    """The error for a name or id that is enrolled."""
    return PersonExistsError(
        expected="a new name",
        got=f"{name!r}, which is enrolled",
        advice="add photos to that person, or choose another name",
    )


def insert_templates(
    connection: sqlite3.Connection, key: int, templates: Sequence[Template], dimension: int, vault: Vault
) -> None:
    """Store more templates of a known person. Raises EmbeddingError."""
    first = _last(connection, "vector") + 1
    numbered = [(template_id, key, template) for template_id, template in enumerate(templates, first)]
    _insert(connection, _records(numbered, dimension, vault), [_template_row(vault, *item) for item in numbered])


def _insert(
    connection: sqlite3.Connection, vectors: Sequence[tuple[int, bytes]], templates: Sequence[tuple[Any, ...]]
) -> None:
    connection.executemany("INSERT INTO vector VALUES (?, ?)", vectors)
    connection.executemany("INSERT INTO template VALUES (?, ?, ?, ?, ?, ?, ?)", templates)


def _last(connection: sqlite3.Connection, table: str) -> int:
    """The highest number that was ever given out in a table."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) if row else 0


def _records(numbered: Sequence[tuple[int, int, Template]], dimension: int, vault: Vault) -> list[tuple[int, bytes]]:
    """Template ids and records of ``(template id, owner's key, template)``."""
    if not numbered:
        return []
    ids, keys, templates = zip(*numbered, strict=True)
    matrix = storable_rows([template.embedding for template in templates], dimension)
    vault.require_storable()
    if vault.scheme == PLAIN:
        return list(zip(ids, pack_rows(keys, matrix), strict=True))
    return [
        (number, pack(key, vault.seal(row.tobytes(), key, number)))
        for number, key, row in zip(ids, keys, matrix, strict=True)
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
    condition, value = ("person_key = ?", key) if template_id is None else ("template_id = ?", template_id)
    rows = connection.execute(
        f"SELECT template_id, length(record) FROM vector WHERE template_id IN (SELECT template_id FROM template WHERE {condition})",
        (value,),
    ).fetchall()
    connection.executemany(
        "UPDATE vector SET record = ? WHERE template_id = ?", [(tombstone(length), number) for number, length in rows]
    )
    count = connection.execute(f"DELETE FROM template WHERE {condition}", (value,)).rowcount
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
    connection: sqlite3.Connection,
    vault: Vault,
    key: int,
    person: Person,
    *,
    name: str | None = None,
    details: Mapping[str, str] | None = None,
) -> None:
    """Write a person's name and details anew. Raises PersonExistsError, PersonNameError, SettingError."""
    new_name = person.name if name is None else clean_name(name)
    text = details_json(person.details if details is None else details)
    try:
        connection.execute("UPDATE person SET name = ?, details = ? WHERE person_key = ?", (new_name, text, key))
    except sqlite3.IntegrityError:
        raise name_taken(new_name) from None
    _sum_up(connection, vault, key)


def replace_groups(connection: sqlite3.Connection, vault: Vault, key: int, groups: Sequence[str]) -> None:
    """Set a person's groups."""
    connection.execute("DELETE FROM membership WHERE person_key = ?", (key,))
    connection.executemany("INSERT INTO membership VALUES (?, ?)", [(group, key) for group in clean_groups(groups)])
    _sum_up(connection, vault, key)


def _sum_up(connection: sqlite3.Connection, vault: Vault, key: int) -> None:
    """Write the sum of somebody who was found whole in this transaction and changed since."""
    query = f"{PEOPLE} WHERE p.person_key = ?"
    _, person_id, name, details, created, _, _, groups = connection.execute(query, (key,)).fetchone()
    made = vault.sum(sums.of_person(key, person_id, name, details, created, groups_of(groups)))
    connection.execute("UPDATE person SET sum = ? WHERE person_key = ?", (made, key))

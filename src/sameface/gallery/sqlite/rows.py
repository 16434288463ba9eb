"""Templates' rows of a gallery file and the values they stand for. Plain functions on a connection; transactions are the caller's."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from sameface.errors import GalleryDamagedError
from sameface.gallery.sqlite import sums
from sameface.gallery.sqlite.record import is_sound, pack, pack_rows, tombstone, unpack
from sameface.gallery.sqlite.vault import PLAIN, Vault
from sameface.gallery.store import StoredTemplate, now
from sameface.types import Box, Embeddings, Person, Template

_BOX: Final = struct.Struct("<4d")
#: Values in one list of a statement.
_AT_ONCE: Final = 500
_WHOLE: Final = """
    SELECT t.template_id, v.record, t.source, t.source_sha256, t.box, t.quality, t.added, t.sum
    FROM template t LEFT JOIN vector v USING (template_id) WHERE t.person_key = ? ORDER BY t.template_id
"""


def insert(
    connection: sqlite3.Connection, vault: Vault, templates: Sequence[tuple[int, Template]], vectors: Embeddings
) -> None:
    """Store templates of people by key, whose vectors are ``(n, dimension)``."""
    first, moment = last(connection, "vector") + 1, now()
    made = [_row(vault, number, key, template, moment) for number, (key, template) in enumerate(templates, first)]
    owners = [key for key, _ in templates]
    connection.executemany("INSERT INTO vector VALUES (?, ?)", _records(first, owners, vectors, vault))
    connection.executemany("INSERT INTO template VALUES (?, ?, ?, ?, ?, ?, ?, ?)", made)


def last(connection: sqlite3.Connection, table: str) -> int:
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


def _row(vault: Vault, template_id: int, key: int, template: Template, moment: str) -> tuple[Any, ...]:
    box = _BOX.pack(*template.box.xyxy) if template.box is not None else None
    quality = None if template.quality is None else float(template.quality)
    row = template_id, key, template.source, template.source_sha256, box, quality, template.added or moment
    sealed = vault.seal_text(template.source, "source", template_id)
    return template_id, key, sealed, *row[3:], vault.sum(sums.of_template(*row))


def select_templates(
    connection: sqlite3.Connection, key: int, person: Person, vault: Vault, location: str
) -> list[StoredTemplate]:
    """A person's templates in the order of enrolment, each checked. Raises GalleryDamagedError, which names the template."""
    found = []
    for template_id, record, source, digest, box, quality, added, made in connection.execute(_WHOLE, (key,)):
        owner, stored = unpack(record) if is_sound(record) else (0, b"")
        plain = vault.unseal_text(source, "source", template_id)
        whole = sums.fits(made, vault, sums.of_template, template_id, key, plain, digest, box, quality, added)
        if owner != key or not whole:
            raise damaged_template(location, person.name, template_id)
        vector = np.frombuffer(vault.unseal(stored, key, template_id), dtype="<f4")
        where = Box(*_BOX.unpack(box)) if box is not None else None
        template = Template(vector, plain, digest, where, quality, added)
        found.append(StoredTemplate(template_id, person.person_id, template))
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


def erase_templates(
    connection: sqlite3.Connection, vault: Vault, keys: Sequence[int], template_id: int | None = None
) -> dict[int, int]:
    """Overwrite vectors in place, take their rows out of the record, and tell the caches.

    Args:
        keys: of the people.
        template_id: only this one.

    Returns:
        How many went, by key.
    """
    gone: dict[int, int] = {}
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        condition, values = f"person_key IN ({','.join('?' * len(part))})", [*part]
        if template_id is not None:
            condition, values = f"{condition} AND template_id = ?", [*values, template_id]
        found = connection.execute(
            f"SELECT template_id, length(record) FROM vector WHERE template_id IN (SELECT template_id FROM template WHERE {condition})",
            values,
        ).fetchall()
        stones = [(tombstone(length), number) for number, length in found]
        connection.executemany("UPDATE vector SET record = ? WHERE template_id = ?", stones)
        gone |= dict(
            connection.execute(
                f"SELECT person_key, count(*) FROM template WHERE {condition} GROUP BY person_key", values
            )
        )
        connection.execute(f"DELETE FROM template WHERE {condition}", values)
    _tell_caches(connection, vault, keys)
    return gone


def _tell_caches(connection: sqlite3.Connection, vault: Vault, keys: Sequence[int]) -> None:
    numbered = enumerate(keys, last(connection, "change") + 1)
    told = [(seq, key, vault.sum(sums.of_change(seq, key))) for seq, key in numbered]
    connection.executemany("INSERT INTO change VALUES (?, ?, ?)", told)


def move_templates(connection: sqlite3.Connection, vault: Vault, source: int, target: int) -> int:
    """Give all templates of one person to another. Sums and seals follow, for they cover the owner; what was damaged stays so."""
    found = connection.execute(_WHOLE, (source,)).fetchall()
    for number, record, where, *about, made in found:
        fresh = sums.WRONG
        with suppress(GalleryDamagedError):
            plain = vault.unseal_text(where, "source", number)
            if sums.fits(made, vault, sums.of_template, number, source, plain, *about):
                fresh = vault.sum(sums.of_template(number, target, plain, *about))
        connection.execute("UPDATE template SET person_key = ?, sum = ? WHERE template_id = ?", (target, fresh, number))
        if record is not None:
            connection.execute(
                "UPDATE vector SET record = ? WHERE template_id = ?",
                (_moved(record, vault, source, target, number), number),
            )
    _tell_caches(connection, vault, [source, target])
    return len(found)


def _moved(record: bytes, vault: Vault, source: int, target: int, number: int) -> bytes:
    """A record under another owner; a damaged one stays recognisably damaged."""
    owner, stored = unpack(record)
    if is_sound(record) and owner == source:
        with suppress(GalleryDamagedError):
            return pack(target, vault.seal(vault.unseal(stored, source, number), target, number))
    fresh = pack(target, stored)
    return fresh[:-1] + bytes([fresh[-1] ^ 0xFF])

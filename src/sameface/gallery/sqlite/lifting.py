"""How a gallery file of an older schema becomes one of this version: at once, when it is opened, all or nothing.

Where the file may not be written, a copy in memory is lifted instead.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from sameface.errors import GalleryDamagedError, PersonNameError
from sameface.gallery.rules.names import clean_name
from sameface.gallery.sqlite import care, history, sums
from sameface.gallery.sqlite.record import NOBODY, is_sound, pack, unpack
from sameface.gallery.sqlite.schema import Binding, write_settings
from sameface.gallery.sqlite.sealed import SealedVault
from sameface.gallery.sqlite.tables import SCHEMA, TABLES
from sameface.gallery.sqlite.vault import PLAIN, PlainVault, Vault

_REBUILT: Final = ("person", "template", "change", "audit")


def lift(connection: sqlite3.Connection, bound: Binding, old: Vault, key: bytes | None) -> None:
    """Bring a file from schema 1 to 2: sums over whole rows, the audit log as a chain, sealed vectors bound to their person.

    Args:
        connection: for writing, outside a transaction, in this writer's turn.
        bound, old: what the file is bound to, and how its vectors lie.
        key: of an encrypted gallery.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA:  # nobody else was quicker
            new: Vault = (
                PlainVault() if key is None or bound.encryption == PLAIN else SealedVault(key, bound.gallery_id, 2)
            )
            _from_1_to_2(connection, old, new)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    care.rewrite_if_due(connection)


def _from_1_to_2(connection: sqlite3.Connection, old: Vault, new: Vault) -> None:
    last = connection.execute("SELECT seq, name FROM sqlite_sequence").fetchall()
    for table in _REBUILT:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for index in ("template_of_person", "template_of_source"):
        connection.execute(f"DROP INDEX {index}")
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    for name, statement in TABLES.items():
        if name not in there:
            connection.execute(statement)
    groups: dict[int, list[str]] = {}
    for group, key in connection.execute("SELECT group_name, person_key FROM membership"):
        groups.setdefault(key, []).append(group)
    everybody = connection.execute("SELECT person_key, person_id, name, details, created, crc FROM old_person")
    taken = {row[0] for row in connection.execute("SELECT name FROM old_person")}
    connection.executemany(
        "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)", (_person(row, groups, new, taken) for row in everybody)
    )
    templates = connection.execute(
        "SELECT template_id, person_key, source, source_sha256, box, quality FROM old_template"
    )
    connection.executemany(
        "INSERT INTO template VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((*row, _sum(new, sums.of_template, *row)) for row in templates),
    )
    changes = connection.execute("SELECT seq, person_key FROM old_change")
    connection.executemany(
        "INSERT INTO change VALUES (?, ?, ?)", ((*row, new.sum(sums.of_change(*row))) for row in changes)
    )
    log = connection.execute("SELECT at, action, person_id, templates FROM old_audit ORDER BY seq")
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", _lines(log, new))
    for table in _REBUILT:
        connection.execute(f"DROP TABLE old_{table}")
    connection.executemany("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", last)
    if isinstance(new, SealedVault):
        _seal_again(connection, old, new)
    write_settings(connection, new, {"key_check": new.proof() if isinstance(new, SealedVault) else ""})
    care.must_rewrite(connection)
    connection.execute("PRAGMA user_version = 2")


def _person(row: tuple[Any, ...], groups: dict[int, list[str]], new: Vault, taken: set[str]) -> tuple[Any, ...]:
    key, person_id, name, details, created, crc = row
    try:
        sound = zlib.crc32(b"\xff".join((person_id, name.encode(), details.encode()))) == crc
    except (AttributeError, TypeError):
        sound = False
    if not sound:
        return (*row[:-1], sums.WRONG)
    now = _name_of_today(name, taken)
    return (
        key,
        person_id,
        now,
        details,
        created,
        _sum(new, sums.of_person, key, person_id, now, details, created, groups.get(key, [])),
    )


def _name_of_today(name: str, taken: set[str]) -> str:
    """A name without what nobody sees, which was let in once. Who would be called like somebody else then is kept as they are, and found by id."""
    try:
        clean = clean_name(name)
    except PersonNameError:
        return name
    if clean == name or clean in taken:
        return name
    taken.add(clean)
    return clean


def _sum(vault: Vault, make: Callable[..., bytes], *values: Any) -> bytes:
    try:
        return vault.sum(make(*values))
    except (AttributeError, TypeError, ValueError, struct.error):  # not what was ever written
        return sums.WRONG


def _lines(log: Iterable[tuple[Any, ...]], new: Vault) -> Iterator[history.Line]:
    before = history.BEGINNING
    for row in log:
        line = history.next_line(new, before, *row)
        before = history.Moment(line[0], line[-1])
        yield line


def _seal_again(connection: sqlite3.Connection, old: Vault, new: Vault) -> None:
    """Bind sealed vectors to their person; one that does not open stays as it is, and never opens."""
    number = 0
    while rows := connection.execute(
        "SELECT template_id, record FROM vector WHERE template_id > ? ORDER BY template_id LIMIT 2000", (number,)
    ).fetchall():
        for number, record in rows:  # the last one is where the next rows begin
            owner, stored = unpack(record) if is_sound(record) else (NOBODY, b"")
            if owner == NOBODY:
                continue
            with suppress(GalleryDamagedError):
                fresh = new.seal(old.unseal(stored, owner, number), owner, number)
                connection.execute("UPDATE vector SET record = ? WHERE template_id = ?", (pack(owner, fresh), number))

"""How a gallery file of an older schema becomes one of this version: at once, when it is opened, all or nothing.

Where the file may not be written, a copy in memory is lifted instead.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from sameface.errors import GalleryKeyError, PersonNameError
from sameface.gallery.exact.segment import NOBODY
from sameface.gallery.following.moment import BEGINNING, Moment
from sameface.gallery.rules.names import clean_name
from sameface.gallery.sqlite import care, history, keyring, sums
from sameface.gallery.sqlite.record import is_sound, pack, unpack
from sameface.gallery.sqlite.schema import Binding, write_settings
from sameface.gallery.sqlite.sealed import DataKey
from sameface.gallery.sqlite.tables import SCHEMA, TABLES
from sameface.gallery.sqlite.vault import PLAIN, PlainVault, Vault

_REBUILT: Final = ("person", "template")
_END: Final = b"\xff"


def require_key(bound: Binding, key: bytes | None, location: str) -> None:
    """Raise GalleryKeyError unless this is the key of an encrypted gallery of schema 1 or 2."""
    if key is None or not DataKey(key, bound.gallery_id, bound.version).is_key_of(bound.keys):
        raise GalleryKeyError(
            expected=f"the key of {location}, which is encrypted",
            got="no key" if key is None else "another key",
            advice="set SAMEFACE_GALLERY_KEY to the right one, or give the key's file",
        )


def lift(connection: sqlite3.Connection, bound: Binding, key: bytes | None) -> None:
    """Bring a file to this version's schema.

    From 1 to 2 came sums over whole rows, the audit log as a chain, and sealed vectors bound to their person. From 2 to 3 came terms, the moment in
    which a template was stored, handles of names, and keys that can be changed; the key of before becomes the data key, so no vector is sealed again.

    Args:
        connection: for writing, outside a transaction, in this writer's turn.
        bound: what the file is bound to.
        key: of an encrypted gallery, the right one.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < SCHEMA:  # nobody else was quicker
            vault, keys = _vault(bound, key)
            _rebuild(connection, vault, version)
            if version == 1:
                _chain_up(connection, vault)
                if key is not None and keys:
                    _seal_again(connection, DataKey(key, bound.gallery_id, 1), vault)
                care.must_rewrite(connection)
            connection.execute("DELETE FROM gallery WHERE key = 'key_check'")
            write_settings(connection, vault, {"keys": keys, "retention": ""})
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    care.rewrite_if_due(connection)


def _vault(bound: Binding, key: bytes | None) -> tuple[Vault, str]:
    if key is None or bound.encryption == PLAIN:
        return PlainVault(), ""
    keys = keyring.encode(keyring.first_keys(key, bound.gallery_id, data_key=key))
    return keyring.SealedVault(keyring.opened(keys, key, bound.gallery_id, "")), keys


def _rebuild(connection: sqlite3.Connection, vault: Vault, version: int) -> None:
    """Tables of today with the rows of before; a row that was damaged stays so."""
    last = connection.execute("SELECT seq, name FROM sqlite_sequence").fetchall()
    for table in (*_REBUILT, *(("change", "audit") if version == 1 else ())):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for index in ("template_of_person", "template_of_source"):
        connection.execute(f"DROP INDEX {index}")
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    for name, statement in TABLES.items():
        if name not in there:
            connection.execute(statement)
    _people(connection, vault, version)
    _templates(connection, vault, version)
    if version == 1:
        changes = connection.execute("SELECT seq, person_key FROM old_change")
        connection.executemany(
            "INSERT INTO change VALUES (?, ?, ?)", ((*row, vault.sum(sums.of_change(*row))) for row in changes)
        )
    for table in _REBUILT:
        connection.execute(f"DROP TABLE old_{table}")
    connection.executemany("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", last)


def _people(connection: sqlite3.Connection, vault: Vault, version: int) -> None:
    groups: dict[int, list[str]] = {}
    for group, key in connection.execute("SELECT group_name, person_key FROM membership"):
        groups.setdefault(key, []).append(group)
    made = "crc" if version == 1 else "sum"
    everybody = connection.execute(f"SELECT person_key, person_id, name, details, created, {made} FROM old_person")
    taken = {row[0] for row in connection.execute("SELECT name FROM old_person")}
    connection.executemany(
        "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, '', '', 0, ?)",
        (_person(row, groups.get(row[0], []), vault, version, taken) for row in everybody),
    )


def _person(row: tuple[Any, ...], groups: list[str], vault: Vault, version: int, taken: set[str]) -> tuple[Any, ...]:
    key, person_id, name, details, created, made = row
    if version == 1:
        sound = _crc(person_id, name, details) == made
        name = _name_of_today(name, taken) if sound else name
    else:
        sound = sums.fits(made, vault, _body_of_2, key, person_id, name, details, created, groups)
    fresh = _sum(vault, sums.of_person, key, person_id, name, details, created, "", "", 0, groups)
    return key, person_id, name, vault.handle(str(name)), details, created, fresh if sound else sums.WRONG


def _crc(person_id: Any, name: Any, details: Any) -> int | None:
    try:
        return zlib.crc32(_END.join((person_id, name.encode(), details.encode())))
    except (AttributeError, TypeError):
        return None


def _body_of_2(key: int, person_id: bytes, name: str, details: str, created: str, groups: list[str]) -> bytes:
    """What schema 2 summed up of a person."""
    texts = _END.join((name.encode(), details.encode(), created.encode(), b""))
    texts += b"".join([group.encode() + _END for group in sorted(groups)])
    return struct.pack("<8sq16s", b"person", key, person_id) + texts


def _template_of_2(number: int, key: int, source: str, digest: str, box: bytes | None, quality: float | None) -> bytes:
    """What schema 2 summed up of a template."""
    head = struct.pack("<8sqq?d", b"template", number, key, quality is not None, quality or 0.0)
    return head + source.encode() + _END + digest.encode() + _END + (box or b"")


def _templates(connection: sqlite3.Connection, vault: Vault, version: int) -> None:
    columns = "template_id, person_key, source, source_sha256, box, quality"
    found = connection.execute(f"SELECT {columns}{', sum' if version > 1 else ''} FROM old_template")

    def lifted() -> Iterator[tuple[Any, ...]]:
        for row in found:
            sound = version == 1 or sums.fits(row[6], vault, _template_of_2, *row[:6])
            made = _sum(vault, sums.of_template, *row[:6], "") if sound else sums.WRONG
            yield *row[:6], "", made

    connection.executemany("INSERT INTO template VALUES (?, ?, ?, ?, ?, ?, ?, ?)", lifted())


def _chain_up(connection: sqlite3.Connection, vault: Vault) -> None:
    log = connection.execute("SELECT at, action, person_id, templates FROM old_audit ORDER BY seq")
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", _lines(log, vault))
    for table in ("change", "audit"):
        connection.execute(f"DROP TABLE old_{table}")


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


def _lines(log: Iterable[tuple[Any, ...]], vault: Vault) -> Iterator[history.Line]:
    before = BEGINNING
    for row in log:
        line = history.next_line(vault, before, *row)
        before = Moment(line[0], line[-1])
        yield line


def _seal_again(connection: sqlite3.Connection, old: DataKey, new: Vault) -> None:
    """Bind sealed vectors to their person; one that does not open stays as it is, and never opens."""
    number = 0
    while rows := connection.execute(
        "SELECT template_id, record FROM vector WHERE template_id > ? ORDER BY template_id LIMIT 2000", (number,)
    ).fetchall():
        for number, record in rows:  # the last one is where the next rows begin
            owner, stored = unpack(record) if is_sound(record) else (NOBODY, b"")
            plain = None if owner == NOBODY else old.unseal(stored, owner, number)
            if plain is not None:
                fresh = pack(owner, new.seal(plain, owner, number))
                connection.execute("UPDATE vector SET record = ? WHERE template_id = ?", (fresh, number))

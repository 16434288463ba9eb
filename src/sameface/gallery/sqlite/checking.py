"""Reading every byte of a gallery file again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sameface.errors import SamefaceError
from sameface.gallery.exact.segment import NOBODY
from sameface.gallery.rules.terms import end_of, terms_of
from sameface.gallery.sqlite import history, sums
from sameface.gallery.sqlite.people import PEOPLE, groups_of, is_whole, rules, texts_of
from sameface.gallery.sqlite.record import is_sound, unpack
from sameface.gallery.sqlite.schema import Binding, binding, require_settings_of
from sameface.gallery.sqlite.tables import TABLES
from sameface.gallery.sqlite.vault import Vault
from sameface.gallery.store import CheckReport, GalleryProblem


def check(connection: sqlite3.Connection, bound: Binding, vault: Vault, location: str) -> CheckReport:
    """Read every row, sum and page again; damage is reported, not raised."""
    problems: list[GalleryProblem] = []
    names: dict[int, str] = {}
    templates = 0
    try:
        connection.execute("BEGIN")
        problems += _pages_and_tables(connection)
        problems += _settings(connection, bound, vault, location)
        problems += _people(connection, vault, names)
        problems += _templates(connection, bound, vault, names)
        problems += _history(connection, vault)
        templates = connection.execute("SELECT count(*) FROM template").fetchone()[0]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        problems.append(GalleryProblem(f"SQLite: {error}"))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return CheckReport(len(names), templates, tuple(problems))


def _pages_and_tables(connection: sqlite3.Connection) -> Iterator[GalleryProblem]:
    for row in connection.execute("PRAGMA integrity_check(20)"):
        if row[0] != "ok":
            yield GalleryProblem(f"SQLite: {row[0]}")
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"))
    for name, text in TABLES.items():
        if _plain(found.pop(name, "")) != _plain(text):
            yield GalleryProblem(f"the definition of {name!r} changed")
    for name in found:
        yield GalleryProblem(f"{name!r} is not a part of a gallery")


def _plain(definition: object) -> str:
    return re.sub(r"\s+", " ", str(definition))


def _settings(connection: sqlite3.Connection, bound: Binding, vault: Vault, location: str) -> Iterator[GalleryProblem]:
    try:
        binding(connection, location)
        require_settings_of(connection, bound, vault, location)
    except SamefaceError as error:
        yield GalleryProblem(f"settings: {error.got}")


def _people(connection: sqlite3.Connection, vault: Vault, names: dict[int, str]) -> Iterator[GalleryProblem]:
    kept = rules(connection)
    for row in connection.execute(f"{PEOPLE} ORDER BY p.person_key"):
        names[row[0]] = shown = _name_of(row, vault)
        if not is_whole(row, vault):
            yield GalleryProblem("name, id, details, terms or groups changed since they were written", person=shown)
            continue
        name, _, terms = texts_of(row, vault)
        handle = connection.execute("SELECT handle FROM person WHERE person_key = ?", (row[0],)).fetchone()[0]
        if handle not in vault.handles(name):
            yield GalleryProblem("cannot be found by their name", person=shown)
        if row[6] != end_of(terms_of(terms), row[4], groups_of(row[10]), kept):
            yield GalleryProblem("the end of their time is not what their terms say", person=shown)
    for (key,) in connection.execute("SELECT DISTINCT person_key FROM membership"):
        if key not in names:
            yield GalleryProblem(f"a group has person number {key}, who is not there")
    yield from _numbers(connection, "person", "person_key")


def _name_of(row: Sequence[Any], vault: Vault) -> str:
    try:
        return vault.unseal_text(row[2], "name", row[0])
    except SamefaceError:
        return str(row[2]) if isinstance(row[2], str) else f"person number {row[0]}"


def _templates(
    connection: sqlite3.Connection, bound: Binding, vault: Vault, names: dict[int, str]
) -> Iterator[GalleryProblem]:
    owners: dict[int, int] = {}
    for number, owner, source, digest, box, quality, added, made in connection.execute(
        "SELECT template_id, person_key, source, source_sha256, box, quality, added, sum FROM template"
    ):
        owners[number] = owner
        about = digest, box, quality, added
        if not _template_is_whole(vault, made, number, owner, source, about):
            yield GalleryProblem("source, box or quality changed since they were written", names.get(owner, ""), number)
    for number, record in connection.execute("SELECT template_id, record FROM vector ORDER BY template_id"):
        owner = owners.pop(number, NOBODY)
        if wrong := _wrong_with(number, owner, record, bound.dimension, vault):
            yield GalleryProblem(wrong, names.get(owner, ""), number)
        elif owner != NOBODY and owner not in names:
            yield GalleryProblem(f"belongs to person number {owner}, who is not there", template_id=number)
    for number, owner in owners.items():
        yield GalleryProblem("vector is missing", names.get(owner, ""), number)
    yield from _numbers(connection, "vector", "template_id")


def _template_is_whole(
    vault: Vault, made: Any, number: int, owner: int, source: str | bytes, about: Sequence[Any]
) -> bool:
    try:
        plain = vault.unseal_text(source, "source", number)
    except SamefaceError:
        return False
    return sums.fits(made, vault, sums.of_template, number, owner, plain, *about)


def _wrong_with(template_id: int, owner: int, record: Any, dimension: int, vault: Vault) -> str:
    if not is_sound(record):
        return "vector changed since it was written"
    key, stored = unpack(record)
    if key != owner:
        return "vector of another person"
    if owner == NOBODY:
        return "a forgotten vector that was not overwritten" if any(stored) else ""
    try:
        vector = np.frombuffer(vault.unseal(stored, owner, template_id), dtype="<f4")
    except SamefaceError as error:
        return f"cannot be decrypted: {error.got}"
    if len(vector) != dimension or not np.isfinite(vector).all():
        return f"not {dimension} finite numbers"
    return ""


def _history(connection: sqlite3.Connection, vault: Vault) -> Iterator[GalleryProblem]:
    for seq, key, made in connection.execute("SELECT seq, person_key, sum FROM change"):
        if not sums.fits(made, vault, sums.of_change, seq, key):
            yield GalleryProblem(f"line {seq} of what caches are told changed since it was written")
    if (wrong := history.first_wrong(connection, vault)) is not None:
        yield GalleryProblem(f"the audit log is not what was written, from line {wrong} on")
    yield from _numbers(connection, "change", "seq")


def _numbers(connection: sqlite3.Connection, table: str, column: str) -> Iterator[GalleryProblem]:
    """A number that was given out once must not be given out again."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    last = connection.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0]
    if last > (row[0] if row and isinstance(row[0], int) else 0):
        yield GalleryProblem(f"the numbers of {table!r} would be used twice")

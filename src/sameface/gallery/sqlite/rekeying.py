"""Changing the key of a gallery file while it is used.

The first step makes a new data key, wrapped by the old key and by the new one: from then on everybody writes by it. Then all rows are rewritten by
it, a few at a time, others' turns in between; how far that came lies in the file, so that after a kill the next call goes on there. When a reading of
every row by the new data key alone has proved that it opens them, the old data key goes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Final

import msgspec

from sameface.errors import GalleryDamagedError, GalleryError, SettingError
from sameface.gallery.exact.segment import NOBODY
from sameface.gallery.sqlite import history, keyring, people, sums
from sameface.gallery.sqlite.keyring import Keys, Opened, SealedVault, fingerprint, wrapped
from sameface.gallery.sqlite.people import PEOPLE, is_whole, rules
from sameface.gallery.sqlite.record import is_sound, pack, unpack
from sameface.gallery.sqlite.schema import setting, write_settings
from sameface.gallery.sqlite.sealed import DataKey
from sameface.gallery.store import CheckReport
from sameface.plain import known

#: Rows of one transaction.
AT_ONCE: Final = 500
_NOTE: Final = "rekeyed"
#: One transaction in this writer's turn.
Turn = Callable[[], AbstractContextManager[sqlite3.Connection]]
Rewrite = Callable[[sqlite3.Connection, SealedVault, int], list[int]]


class Place(msgspec.Struct):
    """How far the rewriting came: in which table, and up to which row."""

    table: str
    after: int


def begin(
    connection: sqlite3.Connection, vault: SealedVault, gallery_id: str, key: bytes, new: bytes, seal_names: bool | None
) -> None:
    """Make the new data key, or go on with a change that was stopped on its way.

    Args:
        connection: in a transaction.
        key, new: what people keep: of before, and from now on; the same one changes the data key alone.
        seal_names: whether names, details, terms and sources are sealed from now on, None as before.

    Raises:
        SettingError: another change is not finished.
    """
    keys = vault.ring.keys
    mine, theirs = fingerprint(key, gallery_id), fingerprint(new, gallery_id)
    if len(keys.wrapped) > 1:
        if theirs not in keys.wrapped[keys.current]:
            raise _unfinished("a change to another key that was stopped on its way", "give that key, to go on with it")
        return
    if set(keys.wrapped[keys.current]) - {mine, theirs}:
        raise _unfinished("one whose old key opens it still", "`sameface gallery rotate-key --finish` ends that first")
    old, generation = vault.ring.current, str(int(keys.current) + 1)
    fresh = os.urandom(32)
    both = {mine: key, theirs: new}
    made = Keys(
        generation,
        {
            keys.current: {who: wrapped(old.key, keys.current, by, gallery_id) for who, by in both.items()},
            generation: {who: wrapped(fresh, generation, by, gallery_id) for who, by in both.items()},
        },
        texts=keys.texts if seal_names is None else seal_names,
    )
    data_key = DataKey(fresh, gallery_id)
    eras = [*vault.ring.eras, (history.moment(connection).seq, old.sum_key)]
    made.eras = [(last, data_key.close_text(one, "era", place).hex()) for place, (last, one) in enumerate(eras)]
    _write_keys(connection, vault, made, key, gallery_id)
    history.note(connection, vault, "new key", "", 0)


def rewrite_all(turn: Turn, vault: SealedVault, progress: Callable[[int], None]) -> None:
    """Rewrite every row by the current data key, in many small transactions, from where the last call was stopped.

    Args:
        progress: told how many rows each transaction rewrote.
    """
    done = False
    while not done:
        with turn() as connection:
            stored = setting(connection, _NOTE)
            place = msgspec.json.decode(stored, type=known(Place)) if stored else Place(next(iter(_TABLES)), 0)
            numbers = _TABLES[place.table](connection, vault, place.after)
            progress(len(numbers))
            if numbers:
                place.after = numbers[-1]
            else:
                following = list(_TABLES)[list(_TABLES).index(place.table) + 1 :]
                done = not following
                place = place if done else Place(following[0], 0)
            note = (_NOTE, msgspec.json.encode(place).decode())
            connection.execute("INSERT OR REPLACE INTO gallery (key, value) VALUES (?, ?)", note)


def require_proved(alone: CheckReport, either: CheckReport) -> None:
    """Raise GalleryError unless the new data key alone opens all that the old and the new one open together."""
    if alone.problems != either.problems:
        wrong = next(problem for problem in alone.problems if problem not in either.problems)
        raise GalleryError(
            expected="every row readable by the new key alone",
            got=f"{wrong.what}{f', of {wrong.person!r}' if wrong.person else ''}",
            advice="call it again: both keys go on to open the gallery until then",
        )


def alone(vault: SealedVault) -> SealedVault:
    """The same without the old data key."""
    ring = vault.ring
    return SealedVault(replace(ring, data={ring.keys.current: ring.current}))


def drop_old_data_key(connection: sqlite3.Connection, vault: SealedVault, gallery_id: str, key: bytes) -> None:
    """The end of the rewriting, in a transaction."""
    keys = vault.ring.keys
    left = {keys.current: keys.wrapped[keys.current]}
    _write_keys(connection, vault, Keys(keys.current, left, keys.eras, keys.texts), key, gallery_id)
    connection.execute("DELETE FROM gallery WHERE key = ?", (_NOTE,))


def drop_other_keys(connection: sqlite3.Connection, vault: SealedVault, gallery_id: str, key: bytes) -> int:
    """Only the key that the gallery was opened by opens it from now on. Returns how many others did.

    Raises:
        SettingError: the rewriting is not finished.
    """
    keys = vault.ring.keys
    if len(keys.wrapped) > 1:
        raise _unfinished("a change that was stopped on its way", "go on with it first: give the new key again")
    slots, mine = keys.wrapped[keys.current], fingerprint(key, gallery_id)
    if len(slots) > 1:
        left = {keys.current: {mine: slots[mine]}}
        _write_keys(connection, vault, Keys(keys.current, left, keys.eras, keys.texts), key, gallery_id)
        history.note(connection, vault, "old key gone", "", 0)
    return len(slots) - 1


def _write_keys(connection: sqlite3.Connection, vault: SealedVault, keys: Keys, key: bytes, gallery_id: str) -> None:
    text = keyring.encode(keys)
    vault.adopt(_opened(text, key, gallery_id))
    write_settings(connection, vault, {"keys": text})


def _opened(text: str, key: bytes, gallery_id: str) -> Opened:
    return keyring.opened(text, key, gallery_id, "the gallery")


def _unfinished(got: str, advice: str) -> SettingError:
    return SettingError(expected="a gallery whose key is not being changed", got=got, advice=advice)


# -- one part of a table: what was damaged is left as it is -----------------------------------------------------------
def _people(connection: sqlite3.Connection, vault: SealedVault, after: int) -> list[int]:
    query = f"{PEOPLE} WHERE p.person_key > ? ORDER BY p.person_key LIMIT ?"
    found, kept = connection.execute(query, (after, AT_ONCE)).fetchall(), rules(connection)
    for row in found:
        if is_whole(row, vault):
            people.rewrite(connection, vault, row[0], kept)
    return [row[0] for row in found]


def _templates(connection: sqlite3.Connection, vault: SealedVault, after: int) -> list[int]:
    columns = "template_id, person_key, source, source_sha256, box, quality, added, sum"
    query = f"SELECT {columns} FROM template WHERE template_id > ? ORDER BY template_id LIMIT ?"
    found = connection.execute(query, (after, AT_ONCE)).fetchall()
    for number, key, source, *about, made in found:
        with suppress(GalleryDamagedError):
            plain = vault.unseal_text(source, "source", number)
            if sums.fits(made, vault, sums.of_template, number, key, plain, *about):
                fresh = vault.sum(sums.of_template(number, key, plain, *about))
                sealed = vault.seal_text(plain, "source", number)
                values = sealed, fresh, number
                connection.execute("UPDATE template SET source = ?, sum = ? WHERE template_id = ?", values)
    return [row[0] for row in found]


def _vectors(connection: sqlite3.Connection, vault: SealedVault, after: int) -> list[int]:
    query = "SELECT template_id, record FROM vector WHERE template_id > ? ORDER BY template_id LIMIT ?"
    found = connection.execute(query, (after, AT_ONCE)).fetchall()
    for number, record in found:
        owner, stored = unpack(record) if is_sound(record) else (NOBODY, b"")
        if owner != NOBODY:
            with suppress(GalleryDamagedError):
                fresh = pack(owner, vault.seal(vault.unseal(stored, owner, number), owner, number))
                connection.execute("UPDATE vector SET record = ? WHERE template_id = ?", (fresh, number))
    return [row[0] for row in found]


def _changes(connection: sqlite3.Connection, vault: SealedVault, after: int) -> list[int]:
    query = "SELECT seq, person_key, sum FROM change WHERE seq > ? ORDER BY seq LIMIT ?"
    found = connection.execute(query, (after, AT_ONCE)).fetchall()
    for seq, key, made in found:
        if sums.fits(made, vault, sums.of_change, seq, key):
            fresh = vault.sum(sums.of_change(seq, key))
            connection.execute("UPDATE change SET sum = ? WHERE seq = ?", (fresh, seq))
    return [row[0] for row in found]


_TABLES: Final[dict[str, Rewrite]] = {
    "person": _people,
    "template": _templates,
    "vector": _vectors,
    "change": _changes,
}

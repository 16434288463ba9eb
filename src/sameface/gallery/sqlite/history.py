"""The audit log as a chain: each line holds a hash over itself, the line before and some random bytes.

So a line that is changed, taken out or put in between is found by reading the log again, and every state of the gallery has a name that no other
state ever has: the number and the hash of its last line. Whoever remembers such a name, a cache for instance, can tell whether the record still
goes back to it. Without encryption whoever may write the file can make the whole chain anew; with it only who has the key.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Sequence
from typing import Final

from sameface.gallery.following.moment import BEGINNING, Moment
from sameface.gallery.sqlite.vault import Vault
from sameface.gallery.store import now

_RANDOM_BYTES: Final = 8
_LINE: Final = struct.Struct("<qq")


Line = tuple[int, str, str, bytes | None, int, bytes]


def note(connection: sqlite3.Connection, vault: Vault, action: str, person_id: str, templates: int) -> None:
    """Add a line to the audit log; every change of a gallery does so, within its transaction."""
    line = next_line(vault, moment(connection), now(), action, bytes.fromhex(person_id) or None, templates)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", line)


def note_each(connection: sqlite3.Connection, vault: Vault, action: str, whose: Sequence[tuple[str, int]]) -> None:
    """Add a line for each of many people, by id and how many templates were concerned."""
    before, at = moment(connection), now()
    lines = []
    for person_id, templates in whose:
        lines.append(next_line(vault, before, at, action, bytes.fromhex(person_id), templates))
        before = Moment(lines[-1][0], lines[-1][-1])
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", lines)


def next_line(vault: Vault, before: Moment, at: str, action: str, person_id: bytes | None, templates: int) -> Line:
    """The row that follows a moment."""
    random = os.urandom(_RANDOM_BYTES)
    link = random + vault.link(_line(before, random, at, action, person_id, templates))
    return before.seq + 1, at, action, person_id, templates, link


def moment(connection: sqlite3.Connection) -> Moment:
    """The state that a connection sees."""
    row = connection.execute("SELECT seq, link FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return Moment(*row) if row else BEGINNING


def includes(connection: sqlite3.Connection, earlier: Moment) -> bool:
    """Whether the gallery was in that state once, or is; False after another file was put in its place."""
    if earlier == BEGINNING:
        return True
    row = connection.execute("SELECT link FROM audit WHERE seq = ?", (earlier.seq,)).fetchone()
    return bool(row is not None and row[0] == earlier.link)


def first_wrong(connection: sqlite3.Connection, vault: Vault) -> int | None:
    """The number of the first line that is not what was written, None when all are."""
    before = BEGINNING
    for seq, at, action, who, templates, link in connection.execute(
        "SELECT seq, at, action, person_id, templates, link FROM audit ORDER BY seq"
    ):
        try:
            random, made = link[:_RANDOM_BYTES], link[_RANDOM_BYTES:]
            sound = vault.link_fits(made, _line(before, random, at, action, who, templates), before.seq + 1)
        except (AttributeError, TypeError, struct.error):
            sound = False
        if not sound or seq != before.seq + 1:
            return int(before.seq + 1)
        before = Moment(seq, link)
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return None if before.seq == (last[0] if last else 0) else before.seq + 1


def _line(before: Moment, random: bytes, at: str, action: str, person_id: bytes | None, templates: int) -> bytes:
    line = _LINE.pack(before.seq + 1, templates) + b"\xff".join((at.encode(), action.encode(), person_id or b""))
    return before.link + random + line

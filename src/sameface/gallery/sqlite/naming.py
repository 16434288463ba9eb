"""What a search asks the record of a gallery file: who is in a group, whose time is over, who the found are."""

from __future__ import annotations

import sqlite3

import numpy as np
import numpy.typing as npt

from sameface.gallery.exact.leaving_out import Ranked
from sameface.gallery.sqlite import people
from sameface.gallery.sqlite.vault import Vault
from sameface.types import Candidate


def in_group(connection: sqlite3.Connection, group: str) -> npt.NDArray[np.int64]:
    """Keys of a group's people."""
    found = connection.execute("SELECT person_key FROM membership WHERE group_name = ?", (group,))
    return np.array([row[0] for row in found], np.int64)


def over(connection: sqlite3.Connection, now: str) -> list[int]:
    """Keys of everybody whose time is over, those who are held too: nobody names them."""
    found = connection.execute("SELECT person_key FROM person WHERE expires <> '' AND expires <= ?", (now,))
    return [row[0] for row in found]


def named(connection: sqlite3.Connection, vault: Vault, ranked: Ranked, now: str) -> list[list[Candidate]] | None:
    """Candidates of ranked keys; None when somebody among them was forgotten or merged meanwhile, or their time is over."""
    known: dict[int, tuple[str, str]] = {}
    still = "WHERE p.person_key = ? AND (p.expires = '' OR p.expires > ?)"
    for key in {key for answer in ranked for key, _ in answer}:
        found = list(people.select_people(connection, vault, still, (key, now)))
        if not found:
            return None
        known[key] = (found[0][1].person_id, found[0][1].name)
    return [[Candidate(*known[key], value) for key, value in answer] for answer in ranked]

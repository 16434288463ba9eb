"""The tables of a gallery file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: "SFAC": what SQLite's `application_id` says of a gallery.
APPLICATION: Final = 0x53464143
SCHEMA: Final = 3

_REFUSED: Final = "SELECT RAISE(ABORT, 'the audit log is only added to')"

# person_key and template_id are never used twice (AUTOINCREMENT), so "later enrolled" is "larger", and a number that a cache remembers never means
# somebody else. Vectors are only appended and overwritten in place, never deleted (see `record`), until the file is compacted. `change` tells
# caches whose templates were removed or moved; what was added they see by its id. Every row has a sum (see `sums`): `membership` in that of its
# person, `vector` in its record, `audit` as a chain (see `history`). The audit log is only added to. Texts of a person and a template's source may
# be sealed, then they are BLOBs (see `keyring`); by `handle` a name is found all the same. `expires` is the earliest end of somebody's terms,
# of their groups' and the gallery's retention, "" for never; `held` says whether they may not be forgotten.
TABLES: Final[Mapping[str, str]] = {
    "gallery": "CREATE TABLE gallery (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "person": """CREATE TABLE person (
    person_key INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    handle BLOB NOT NULL UNIQUE,
    details TEXT NOT NULL,
    created TEXT NOT NULL,
    terms TEXT NOT NULL,
    expires TEXT NOT NULL,
    held INTEGER NOT NULL,
    sum BLOB NOT NULL
)""",
    "person_by_end": "CREATE INDEX person_by_end ON person (expires) WHERE expires <> ''",
    "membership": """CREATE TABLE membership (
    group_name TEXT NOT NULL,
    person_key INTEGER NOT NULL,
    PRIMARY KEY (group_name, person_key)
) WITHOUT ROWID""",
    "membership_of_person": "CREATE INDEX membership_of_person ON membership (person_key)",
    "vector": "CREATE TABLE vector (template_id INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL)",
    "template": """CREATE TABLE template (
    template_id INTEGER PRIMARY KEY,
    person_key INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_sha256 TEXT NOT NULL,
    box BLOB,
    quality REAL,
    added TEXT NOT NULL,
    sum BLOB NOT NULL
)""",
    "template_of_person": "CREATE INDEX template_of_person ON template (person_key)",
    "template_of_source": "CREATE INDEX template_of_source ON template (source_sha256) WHERE source_sha256 <> ''",
    "change": """CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    person_key INTEGER NOT NULL,
    sum BLOB NOT NULL
)""",
    "audit": """CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    action TEXT NOT NULL,
    person_id BLOB,
    templates INTEGER NOT NULL,
    link BLOB NOT NULL
)""",
    "audit_is_kept": f"CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN {_REFUSED}; END",
    "audit_is_not_changed": f"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN {_REFUSED}; END",
}

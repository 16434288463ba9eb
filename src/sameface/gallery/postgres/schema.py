"""The tables of a gallery on a server.

Every table that grows begins its primary key with the column it could be distributed by (`person_id`, or `name` for the table that keeps names
unique), and none refers to another: Citus can spread them as they are (docs/decisions has the half page). A sequence gives the order of
enrolment.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from sameface.errors import GalleryDamagedError, GalleryMismatchError, GallerySchemaError, SettingError
from sameface.gallery.postgres import citus
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.store import now
from sameface.types import EmbeddingSpace

SCHEMA: Final = 3
#: The schema that first says until when people are kept.
TERMS: Final = 2
#: The schema that first tells live indexes of changes.
FOLLOWED: Final = 3
#: The longest ``vector`` of pgvector.
LONGEST: Final = 16_000

#: Everything that `create` makes.
TABLES: Final = tuple(
    f"sameface_{name}" for name in ("gallery", "name", "person", "membership", "template", "audit", "change")
)
SEQUENCE: Final = "sameface_numbers"

_TABLES: Final = """
CREATE TABLE sameface_gallery (key text PRIMARY KEY, value text NOT NULL);
CREATE SEQUENCE sameface_numbers;
CREATE TABLE sameface_name (name text PRIMARY KEY, person_id uuid NOT NULL);
CREATE TABLE sameface_person (
    person_id uuid PRIMARY KEY, number bigint NOT NULL, name text NOT NULL, details text NOT NULL, created text NOT NULL
);
CREATE INDEX sameface_person_number ON sameface_person (number);
CREATE TABLE sameface_membership (person_id uuid NOT NULL, group_name text NOT NULL, PRIMARY KEY (person_id, group_name));
CREATE INDEX sameface_membership_group ON sameface_membership (group_name);
CREATE TABLE sameface_template (
    person_id uuid NOT NULL, template_id bigint NOT NULL, crc bigint NOT NULL, embedding vector({dimension}) NOT NULL,
    source text NOT NULL, source_sha256 text NOT NULL, box double precision[], quality double precision,
    PRIMARY KEY (person_id, template_id)
);
ALTER TABLE sameface_template ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX sameface_template_source ON sameface_template (source_sha256) WHERE source_sha256 <> '';
CREATE TABLE sameface_audit (
    at text NOT NULL, number bigint NOT NULL DEFAULT nextval('sameface_numbers'), action text NOT NULL, person_id uuid, templates bigint NOT NULL
);
"""

#: What schema 2 added: terms, the end that follows from them, and when a template was stored.
_TERMS: Final = """
ALTER TABLE sameface_person ADD COLUMN terms text NOT NULL DEFAULT '', ADD COLUMN expires text NOT NULL DEFAULT '' COLLATE "C",
    ADD COLUMN held boolean NOT NULL DEFAULT false;
CREATE INDEX sameface_person_end ON sameface_person (expires) WHERE expires <> '';
ALTER TABLE sameface_template ADD COLUMN added text NOT NULL DEFAULT '';
"""

#: What schema 3 added. What live indexes are told: the people, from a number to a number, of whom something changed, and in which transaction. So
#: whoever knows a snapshot of the server can ask for exactly what was committed since. `photos`, where the tables are spread: how many templates that
#: person has from then on.
_CHANGES: Final = """
CREATE TABLE sameface_change (
    number bigint PRIMARY KEY DEFAULT nextval('sameface_numbers'), xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    mark uuid NOT NULL DEFAULT gen_random_uuid(), first bigint NOT NULL, last bigint NOT NULL, erased boolean NOT NULL, photos bigint
);
CREATE INDEX sameface_change_xid ON sameface_change (xid);
INSERT INTO sameface_change (first, last, erased) VALUES (0, 0, false);
"""


def exists(connection: Connection) -> bool:
    """Whether the first schema of the search path has a gallery."""
    # Not to_regclass: it answers from what this connection remembers, where another has just made the tables.
    query = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'sameface_gallery'"
    return connection.execute(query.encode()).fetchone() is not None


def create(connection: Connection, space: EmbeddingSpace, dimension: int) -> bool:
    """Make the tables, unless another process just did. Returns whether they were made."""
    if not 1 <= dimension <= LONGEST:
        raise SettingError(
            expected=f"embeddings of 1 to {LONGEST} numbers, pgvector's limit",
            got=str(dimension),
            advice="use an SQLite gallery for this encoder",
        )
    connection.execute("SELECT pg_advisory_xact_lock(1396786499)")  # "SAFC": two first openers take turns
    if exists(connection):
        return False
    # Long vectors do not fit a page and must be moved out of line; short ones are scanned faster in line.
    tables = (
        _TABLES
        if dimension <= 1900
        else _TABLES.replace("ALTER TABLE sameface_template ALTER COLUMN embedding SET STORAGE PLAIN;\n", "")
    )
    connection.execute(tables.format(dimension=dimension).encode())
    connection.execute(_TERMS.encode())
    connection.execute(_CHANGES.encode())
    values = {
        "schema": str(SCHEMA),
        "gallery_id": uuid.uuid4().hex,
        "encoder": space.encoder,
        "detector": space.detector,
        "alignment": space.alignment,
        "dimension": str(dimension),
        "created": now(),
        "epoch": "0",
        "retention": "",
    }
    connection.cursor().executemany("INSERT INTO sameface_gallery VALUES (%s, %s)", list(values.items()))
    return True


def lift(connection: Connection) -> None:
    """Bring the tables of an earlier schema to this one, unless another process just did: all or nothing. Nobody writes to them meanwhile."""
    connection.execute("SELECT pg_advisory_xact_lock(1396786499)")
    row: Any = connection.execute("SELECT value FROM sameface_gallery WHERE key = 'schema'").fetchone()
    version = int(row[0])
    if version >= SCHEMA:
        return
    connection.execute(b"LOCK TABLE sameface_template IN SHARE ROW EXCLUSIVE MODE")
    if version < TERMS:
        connection.execute(_TERMS.encode())
        connection.execute("INSERT INTO sameface_gallery VALUES ('retention', '') ON CONFLICT DO NOTHING")
    connection.execute(_CHANGES.encode())
    connection.execute("UPDATE sameface_gallery SET value = %s WHERE key = 'schema'", (str(SCHEMA),))
    # Whoever has it open with an earlier version would not write the list of changes: they have to open it again, and are told.
    connection.execute(b"UPDATE sameface_gallery SET value = (value::bigint + 1)::text WHERE key = 'epoch'")


def settings(connection: Connection, shown: str) -> dict[str, str]:
    """What the gallery is bound to.

    Raises:
        GallerySchemaError, GalleryDamagedError.
    """
    values: dict[str, Any] = dict(connection.execute("SELECT key, value FROM sameface_gallery").fetchall())
    if int(values.get("schema", 0)) > SCHEMA:
        raise GallerySchemaError(
            expected=f"a gallery of schema {SCHEMA} or older at {shown}",
            got=f"schema {values['schema']}",
            advice="install the newer sameface",
        )
    if citus.spreads(connection):
        values["distributed"] = "citus"
    missing = {"encoder", "detector", "alignment", "dimension", "epoch"} - set(values)
    if missing:
        raise GalleryDamagedError(
            expected=f"the settings of {shown}", got=f"no {', '.join(sorted(missing))}", advice="restore a backup"
        )
    return values


def require_same_epoch(connection: Connection, bound: dict[str, str], shown: str) -> None:
    """Raise GalleryMismatchError when all embeddings were replaced since the gallery was opened."""
    row = connection.execute("SELECT value FROM sameface_gallery WHERE key = 'epoch'").fetchone()
    if row is None or row[0] != bound["epoch"]:
        raise GalleryMismatchError(
            expected=f"{shown} with embeddings of {space_of(bound)}",
            got="another state of it: it was re-encoded, or made over for another version or for several machines",
            advice="open the gallery again, with its encoder",
        )


def space_of(values: dict[str, str]) -> EmbeddingSpace:
    """The space among the settings."""
    return EmbeddingSpace(values["encoder"], values["detector"], values["alignment"])


def is_distributed(values: dict[str, str]) -> bool:
    """Whether Citus keeps the tables on several machines."""
    return values.get("distributed") == "citus"

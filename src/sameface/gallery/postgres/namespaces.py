"""Several galleries in one database: each in a schema of its own, ``sameface_<name>``."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from sameface.errors import GalleryMissingError, GalleryUnavailableError, SettingError
from sameface.gallery.base.finding import held_inside
from sameface.gallery.postgres.address import Address
from sameface.gallery.postgres.schema import SEQUENCE, TABLES

_PREFIX: Final = "sameface_"


def gallery_names(location: str) -> list[str]:
    """Names of the galleries in a database, sorted.

    Raises:
        GalleryUnavailableError: the server cannot be reached.
    """
    with _connect(location) as connection:
        rows = connection.execute(
            "SELECT n.nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid "
            "WHERE starts_with(n.nspname, %s) AND c.relname = 'sameface_gallery'",
            (_PREFIX,),
        ).fetchall()
    return sorted(str(row[0]).removeprefix(_PREFIX) for row in rows)


def location_of(location: str, name: str) -> str:
    """The address of one gallery in a database.

    Args:
        location: ``postgresql://…`` of the database, without options of its own.
        name: letters, digits and hyphens, as the service checks it; anything that would need escaping is refused.

    >>> location_of("postgresql://ada@db/faces", "team-2")
    'postgresql://ada@db/faces?options=-csearch_path%3D%22sameface_team-2%22%2Cpublic'
    """
    if not name.replace("-", "a").isalnum() or not name.isascii():
        raise SettingError(expected="letters, digits and hyphens", got=repr(name[:80]), advice="choose another name")
    if "options=" in location:
        raise SettingError(
            expected="an address without options", got="one with options", advice="leave the search path to sameface"
        )
    path = quote(f'-csearch_path="{_PREFIX}{name}",public', safe="-")
    return f"{location}{'&' if '?' in location else '?'}options={path}"


def make_room(location: str, name: str) -> None:
    """Make the schema that a gallery's tables go into; nothing when it is there."""
    location_of(location, name)  # checks the name
    with _connect(location) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1396786500)")
        # In `public`, where every gallery's search path finds its types.
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(_PREFIX + name)))


def erase(location: str) -> None:
    """Drop a gallery with everybody in it: the schema that was made for it, else its tables.

    Raises:
        GalleryMissingError, GalleryUnavailableError, GalleryLockedError.
        PersonHeldError: somebody in it may not be forgotten.
    """
    address = Address(location)
    with _connect(location) as connection:
        row = connection.execute(
            "SELECT current_schema(), to_regclass(quote_ident(current_schema()) || '.sameface_gallery')"
        ).fetchone()
        room = str(row[0]) if row else ""
        if row is None or row[1] is None:
            raise GalleryMissingError(
                expected=f"a gallery at {address.shown}",
                got="no tables of one",
                advice="check the address; it may be erased already",
            )
        _require_nobody_held(connection)
        if room.startswith(_PREFIX):
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(room)))
            return
        for table in TABLES:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(room, table)))
        connection.execute(sql.SQL("DROP SEQUENCE {}").format(sql.Identifier(room, SEQUENCE)))


def _require_nobody_held(connection: psycopg.Connection[Any]) -> None:
    known = connection.execute(
        "SELECT 1 FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = 'sameface_person' AND column_name = 'held'"
    ).fetchone()
    row = connection.execute("SELECT count(*) FROM sameface_person WHERE held").fetchone() if known else None
    if row is not None and row[0]:
        raise held_inside(int(row[0]))


def _connect(location: str) -> psycopg.Connection[tuple[object, ...]]:
    address = Address(location)
    try:
        return psycopg.connect(location, connect_timeout=10)
    except psycopg.Error as error:
        raise GalleryUnavailableError(
            expected=f"a server at {address.shown}",
            got=address.clean(str(error)),
            advice="check that it runs, and try again",
        ) from None

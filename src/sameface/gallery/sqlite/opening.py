"""Opening a gallery file: is it one, is it whole, is the key right, is it of this version?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sameface.errors import GalleryReadOnlyError
from sameface.gallery.sqlite import lifting, schema
from sameface.gallery.sqlite.errors import translated
from sameface.gallery.sqlite.tables import SCHEMA
from sameface.gallery.sqlite.vault import Vault, vault_for
from sameface.gallery.sqlite.whole import require_whole
from sameface.gallery.sqlite.writer_queue import WriterQueue


def opened(
    path: Path, queue: WriterQueue, key: bytes | None, patience: float
) -> tuple[sqlite3.Connection, schema.Binding, Vault]:
    """A connection for reading an existing gallery, what the gallery is bound to, and how its vectors lie.

    A gallery of an older schema is lifted to this one; where it may not be written, the connection is to a lifted copy in memory.

    Raises:
        NotAGalleryError, GallerySchemaError, GalleryDamagedError, GalleryKeyError, GalleryReadOnlyError, GalleryLockedError, StorageFullError.
    """
    location = str(path)
    with translated(location):
        connection = schema.connect(path, patience, write=False)
        try:
            bound = schema.binding(connection, location)
            require_whole(connection, path)
            if bound.version < SCHEMA:
                connection = _lifted(connection, path, queue, bound, key, patience)
                bound = schema.binding(connection, location)
            vault = _vault_of(bound, key, location)
            schema.require_settings_of(connection, bound, vault, location)
        except BaseException:
            connection.close()
            raise
    return connection, bound, vault


def _vault_of(bound: schema.Binding, key: bytes | None, location: str) -> Vault:
    return vault_for(bound.encryption, bound.key_check, bound.gallery_id, key, location, bound.version)


def _lifted(
    connection: sqlite3.Connection,
    path: Path,
    queue: WriterQueue,
    bound: schema.Binding,
    key: bytes | None,
    patience: float,
) -> sqlite3.Connection:
    old = _vault_of(bound, key, str(path))
    try:
        with translated(str(path)), queue.turn():
            writer = schema.connect(path, patience, write=True)
            try:
                lifting.lift(writer, bound, old, key)
            finally:
                writer.close()
        return connection
    except GalleryReadOnlyError:
        copy = _in_memory(connection)
        try:
            lifting.lift(copy, bound, old, key)
            copy.execute("PRAGMA query_only = ON")
        except BaseException:
            copy.close()
            raise
        connection.close()
        return copy


def another(connection: sqlite3.Connection, path: Path, patience: float) -> sqlite3.Connection:
    """One more connection for reading what `opened` opened."""
    in_memory = not connection.execute("PRAGMA database_list").fetchone()[2]
    return _in_memory(connection) if in_memory else schema.connect(path, patience, write=False)


def _in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        connection.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy

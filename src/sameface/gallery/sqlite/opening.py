"""Opening a gallery file: is it one, is it whole, is the key right, is it of this version?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sameface.errors import GalleryReadOnlyError, StorageFullError
from sameface.gallery.sqlite import keyring, lifting, schema, still
from sameface.gallery.sqlite.errors import translated
from sameface.gallery.sqlite.keyring import require_scheme
from sameface.gallery.sqlite.tables import SCHEMA
from sameface.gallery.sqlite.vault import PLAIN, PlainVault, Vault
from sameface.gallery.sqlite.whole import require_whole
from sameface.gallery.sqlite.writer_queue import WriterQueue


def opened(
    path: Path, queue: WriterQueue, key: bytes | None, patience: float
) -> tuple[sqlite3.Connection, schema.Binding, Vault]:
    """A connection for reading an existing gallery, what the gallery is bound to, and how its vectors lie.

    A gallery of an older schema is lifted to this one; where it may not or cannot be written, the connection is to a lifted copy in memory.

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
            vault = _vault_of(bound, key, path, patience)
            schema.require_settings_of(connection, bound, vault, location)
        except BaseException:
            connection.close()
            raise
    return connection, bound, vault


def _vault_of(bound: schema.Binding, key: bytes | None, path: Path, patience: float) -> Vault:
    location = str(path)
    if bound.encryption == PLAIN:
        return PlainVault(location, has_key=key is not None)
    require_scheme(bound.encryption)
    ring = keyring.opened(bound.keys, key, bound.gallery_id, location)

    def again() -> keyring.Opened | None:
        """The keys as they lie in the file now: somebody may be changing them."""
        with translated(location):
            connection = schema.connect(path, patience, write=False)
            try:
                now = schema.binding(connection, location)
            finally:
                connection.close()
        if now.version < SCHEMA or now.gallery_id != bound.gallery_id:
            return None
        return keyring.opened(now.keys, key, bound.gallery_id, location)

    return keyring.SealedVault(ring, again)


def _lifted(
    connection: sqlite3.Connection,
    path: Path,
    queue: WriterQueue,
    bound: schema.Binding,
    key: bytes | None,
    patience: float,
) -> sqlite3.Connection:
    if bound.encryption != PLAIN:
        require_scheme(bound.encryption)
        lifting.require_key(bound, key, str(path))
    try:
        with translated(str(path)), queue.turn():
            writer = schema.connect(path, patience, write=True)
            try:
                lifting.lift(writer, bound, key)
            finally:
                writer.close()
        return connection
    except (GalleryReadOnlyError, StorageFullError):
        copy = _in_memory(connection, path)
        try:
            lifting.lift(copy, bound, key)
            copy.execute("PRAGMA query_only = ON")
        except BaseException:
            copy.close()
            raise
        connection.close()
        return copy


def another(connection: sqlite3.Connection, path: Path, patience: float) -> sqlite3.Connection:
    """One more connection for reading what `opened` opened."""
    return _in_memory(connection, path) if is_copy(connection) else schema.connect(path, patience, write=False)


def is_copy(connection: sqlite3.Connection) -> bool:
    """Whether `opened` gave a lifted copy in memory."""
    return not connection.execute("PRAGMA database_list").fetchone()[2]


def _in_memory(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=still.Still)
    try:
        copy.path, copy.seen = path, connection.seen if isinstance(connection, still.Still) else still.seen_now(path)
        connection.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy

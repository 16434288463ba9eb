"""How a gallery file is made and opened, and what its settings bind it to.

Over 300 lines because a file is opened by the rules that it was made by, and whoever changes one has to see the other.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sameface.errors import (
    GalleryDamagedError,
    GalleryMismatchError,
    GallerySchemaError,
    NotAGalleryError,
    SettingError,
)
from sameface.gallery.base.finding import held_inside
from sameface.gallery.sqlite import still, sums
from sameface.gallery.sqlite.keyring import SealedVault, encode, first_keys, opened
from sameface.gallery.sqlite.record import OVERHEAD
from sameface.gallery.sqlite.sealed import ADDED
from sameface.gallery.sqlite.tables import APPLICATION, SCHEMA, TABLES
from sameface.gallery.sqlite.vault import PLAIN, PlainVault, Vault
from sameface.gallery.store import now
from sameface.types import EmbeddingSpace


@dataclass(frozen=True, slots=True)
class Binding:
    """What a gallery file is bound to.

    Attributes:
        version: of the file's schema.
        gallery_id: hex; a cache of another file is not taken for this one's.
        epoch: counts the times that all embeddings were replaced.
        encryption: a `Vault.scheme`.
        keys: of an encrypted one, see `keyring`; of schemas 1 and 2 the proof of its one key; "" without encryption.
    """

    version: int
    gallery_id: str
    space: EmbeddingSpace
    dimension: int
    epoch: int
    encryption: str
    keys: str


def connect(path: Path, patience: float, *, write: bool) -> sqlite3.Connection:
    """A connection with everything set that durability, erasure and speed need.

    Where readers and writers cannot share memory beside the file, a reader reads it as it lies; see `still`.

    Raises:
        sqlite3.Error: see `errors.translated`.
        GalleryReadOnlyError, StorageFullError: it cannot be read as it lies, for its log holds more.
    """
    way = "mode=rw" if write else still.way_to_share(path)
    if way is not None:
        try:
            return _prepared(_shared(path, patience, way), write=write)
        except sqlite3.Error as error:
            if not still.is_for(error):
                raise
            if way == "mode=rw":
                still.settle(path)
            if write:
                raise
    return _prepared(still.connect(path, patience), write=False)


def _shared(path: Path, patience: float, way: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{way}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )


def _prepared(connection: sqlite3.Connection, *, write: bool) -> sqlite3.Connection:
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA cache_size = -65536" if write else "PRAGMA cache_size = -16384")
        connection.execute("PRAGMA temp_store = MEMORY")  # no embedding in a temporary file
        if not write:
            connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA schema_version")  # a look at the file itself, should none of those have needed one
    except BaseException:
        connection.close()
        raise
    return connection


def create(
    path: Path,
    space: EmbeddingSpace,
    dimension: int,
    *,
    key: bytes | None = None,
    seal_texts: bool = False,
    patience: float = 10.0,
) -> bool:
    """Make a new gallery file, whole or not at all, readable by its owner only; one that is there already stays as it is.

    The caller holds the writers' turn.

    Returns:
        Whether it was made.

    Raises:
        sqlite3.Error, OSError, SettingError.
    """
    if dimension < 1:
        raise SettingError(
            expected="a dimension of at least 1", got=str(dimension), advice="give the encoder's dimension"
        )
    if path.exists():
        return False
    for leftover in (
        "-wal",
        "-shm",
        "-cache",
    ):  # of a gallery that was deleted: its log must not be replayed into the new one
        path.with_name(path.name + leftover).unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    os.close(os.open(part, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        connection = connect(part, patience, write=True)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            _fill(connection, space, dimension, key, seal_texts)
            connection.execute("COMMIT")
            # Closing would copy the log into the file too, but say nothing where the disk is full.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        made = _put(part, path)
        _settle(path.absolute().parent)
        return made
    finally:
        for leftover in ("", "-wal", "-shm"):
            part.with_name(part.name + leftover).unlink(missing_ok=True)


def _put(part: Path, path: Path) -> bool:
    """Give a file its name, unless another one got it in the meantime."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # a disk without hard links
        part.rename(path)
    return True


def _settle(folder: Path) -> None:
    """Make a new name in a folder outlast a power cut."""
    if os.name == "nt":  # there a folder is no file
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fill(
    connection: sqlite3.Connection, space: EmbeddingSpace, dimension: int, key: bytes | None, seal_texts: bool
) -> None:
    for statement in TABLES.values():
        connection.execute(statement)
    gallery_id = uuid.uuid4().hex
    vault: Vault = PlainVault()
    keys = ""
    if key is not None:
        keys = encode(first_keys(key, gallery_id, texts=seal_texts))
        vault = SealedVault(opened(keys, key, gallery_id, "a new gallery"))
    values = {
        "gallery_id": gallery_id,
        "encoder": space.encoder,
        "detector": space.detector,
        "alignment": space.alignment,
        "dimension": str(dimension),
        "created": now(),
        "epoch": "0",
        "encryption": vault.scheme,
        "keys": keys,
        "retention": "",
    }
    write_settings(connection, vault, values)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def write_settings(connection: sqlite3.Connection, vault: Vault, values: Mapping[str, str]) -> None:
    """Set some settings, and sum up all of them again: once for everybody, once by the vault's own way, which may need the key."""
    connection.executemany("INSERT OR REPLACE INTO gallery (key, value) VALUES (?, ?)", values.items())
    body = sums.of_settings(dict(connection.execute("SELECT key, value FROM gallery")))
    both = {"sum": PlainVault().sum(body).hex(), "mac": vault.sum(body).hex()}
    connection.executemany("INSERT OR REPLACE INTO gallery (key, value) VALUES (?, ?)", both.items())


def binding(connection: sqlite3.Connection, location: str) -> Binding:
    """Read what the file is bound to; the check that it is a gallery at all.

    Raises:
        NotAGalleryError: SQLite, but not ours.
        GallerySchemaError: written by a newer sameface.
        GalleryDamagedError: ours, but without its settings.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise NotAGalleryError(
            expected=f"a sameface gallery at {location}",
            got="an SQLite file of another program",
            advice="check the path, or name a new file",
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        raise GallerySchemaError(
            expected=f"a gallery of schema {SCHEMA} or older at {location}",
            got=f"schema {version}",
            advice="install the newer sameface that wrote it",
        )
    try:
        if version < 1:
            raise ValueError("the number of their schema")
        values = dict(connection.execute("SELECT key, value FROM gallery"))
        if version > 1 and values["sum"] != PlainVault().sum(sums.of_settings(values)).hex():
            raise ValueError("their check sum")
        return Binding(
            version=version,
            gallery_id=values["gallery_id"],
            space=EmbeddingSpace(values["encoder"], values["detector"], values["alignment"]),
            dimension=int(values["dimension"]),
            epoch=int(values["epoch"]),
            encryption=values["encryption"],
            keys=values["keys" if version > 2 else "key_check"],
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise GalleryDamagedError(
            expected=f"the settings of the gallery at {location} as they were written",
            got=f"{error}, missing or broken",
            advice="restore a backup",
        ) from error


def require_settings_of(connection: sqlite3.Connection, bound: Binding, vault: Vault, location: str) -> None:
    """Raise GalleryDamagedError unless the settings were written by somebody who has the key, and vectors lie as they say.

    Without a key somebody could have written that the gallery is not encrypted, and the next face would lie in the clear.
    """
    values = dict(connection.execute("SELECT key, value FROM gallery"))
    changed = not _made_with_key(values, vault)
    if vault.scheme == PLAIN:
        row = connection.execute("SELECT length(record) FROM vector LIMIT 1").fetchone()
        sealed = row is not None and row[0] == OVERHEAD + 4 * bound.dimension + ADDED
        changed = changed or sealed or bool(bound.keys)
    if changed:
        raise GalleryDamagedError(
            expected=f"the settings of {location} as they were written",
            got="others, about its encryption for instance",
            advice="restore a backup; enroll nobody before you know who changed them",
        )


def _made_with_key(values: Mapping[str, str], vault: Vault) -> bool:
    try:
        return vault.fits(bytes.fromhex(values["mac"]), sums.of_settings(values))
    except (KeyError, ValueError):
        return False


def setting(connection: sqlite3.Connection, name: str) -> str:
    """One setting, "" when it is not there."""
    row = connection.execute("SELECT value FROM gallery WHERE key = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def require_same_epoch(connection: sqlite3.Connection, bound: Binding, location: str) -> None:
    """Raise GalleryMismatchError when all embeddings were replaced since the gallery was opened."""
    row = connection.execute("SELECT value FROM gallery WHERE key = 'epoch'").fetchone()
    if row is None or row[0] != str(bound.epoch):
        raise GalleryMismatchError(
            expected=f"{location} with embeddings of {bound.space}",
            got=f"{binding(connection, location).space}: it was re-encoded meanwhile",
            advice="open the gallery again with that encoder",
        )


def require_nobody_held(path: Path, patience: float) -> None:
    """Raise PersonHeldError when somebody in a gallery may not be forgotten, told without its key."""
    connection = connect(path, patience, write=False)
    try:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(person)")}
        held = connection.execute("SELECT count(*) FROM person WHERE held").fetchone()[0] if "held" in columns else 0
    finally:
        connection.close()
    if held:
        raise held_inside(held)

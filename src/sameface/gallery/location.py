"""From a location to an open gallery: a path is an SQLite file, ``postgresql://`` a server."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sameface.errors import (
    GalleryDamagedError,
    GalleryKeyError,
    GalleryMismatchError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GallerySchemaError,
    SettingError,
)
from sameface.gallery.exact.scan import Scan
from sameface.gallery.rules.places import is_server, server_extra
from sameface.gallery.sqlite import files, schema
from sameface.gallery.sqlite.errors import translated
from sameface.gallery.sqlite.key import read_key
from sameface.gallery.sqlite.store import PATIENCE, SqliteStore
from sameface.gallery.sqlite.whole import require_file
from sameface.gallery.sqlite.writer_queue import WriterQueue
from sameface.gallery.store import Spread, TemplateStore
from sameface.types import EmbeddingSpace

if TYPE_CHECKING:
    from sameface.gallery.postgres.store import PostgresStore


def open_store(
    location: str | Path,
    *,
    space: EmbeddingSpace | None = None,
    dimension: int | None = None,
    create: bool = True,
    key: str | Path | None = None,
    seal_names: bool = False,
    patience: float = PATIENCE,
    threads: int | None = None,
    scan: Scan | None = None,
) -> TemplateStore:
    """Open a gallery, or make one.

    Args:
        location: a path, or ``postgresql://…``.
        space: what its embeddings are of; needed to make one. None opens whatever is there.
        dimension: their length; needed to make one.
        create: make it when it is not there.
        key: of an encrypted SQLite gallery: 64 hex digits, ``@`` and a path, ``!`` and a command that prints them, or a `Path`; None takes
            ``$SAMEFACE_GALLERY_KEY``. A gallery that is made while there is a key is encrypted.
        seal_names: a gallery that is made and encrypted now encrypts names, details, terms and sources too, not the embeddings alone.
        patience: seconds to wait for other processes before a call gives up.
        threads: threads of one search, None for the default.
        scan: how a large gallery is looked through, ``int8`` or ``float32``; None for the default. The answers are the same.

    Raises:
        GalleryMissingError: nothing there, and it was not to be made, or nobody said of which space.
        GalleryKeyError: encrypted, and no key or the wrong one.
        GalleryMismatchError: its embeddings are of another space; both are named.
        NotAGalleryError, GallerySchemaError, GalleryDamagedError, GalleryReadOnlyError, GalleryLockedError, StorageFullError.
    """
    if is_server(location):
        if key is not None:
            raise SettingError(
                expected="a key for an SQLite gallery only",
                got="one for a server",
                advice="let the server encrypt its disk",
            )
        store: TemplateStore = _server_store(str(location), space, dimension, create, patience, threads, scan)
        return _of_same_space(store, space, dimension)
    if "://" in str(location):
        raise SettingError(
            expected="a path, or an address that begins with postgresql://",
            got=f"the scheme {str(location).split('://')[0]!r}",
            advice="name a file, for instance people.db",
        )
    if str(location) == ":memory:":
        raise SettingError(
            expected="a file, which keeps people",
            got="SQLite's name for memory",
            advice="name a file, in a temporary folder if it need not last",
        )
    path, secret = Path(location), read_key(key)
    if not path.exists():
        _create(path, space, dimension, create, patience, secret, seal_names=seal_names)
    require_file(path)
    return _of_same_space(
        SqliteStore(path, key=secret, patience=patience, threads=threads, scan=scan), space, dimension
    )


def make_gallery(location: str | Path, space: EmbeddingSpace, dimension: int, *, patience: float = PATIENCE) -> bool:
    """Make an empty gallery. Returns False, and changes nothing, where there is one: of many who make it at once, one is told True.

    Args:
        location, space, dimension: as for `open_store`.

    Raises:
        SettingError, GalleryMissingError, GalleryReadOnlyError, GalleryLockedError, StorageFullError, GalleryUnavailableError.
    """
    if is_server(location):
        with _server_store(str(location), space, dimension, True, patience) as store:
            return store.made
    path = Path(location)
    return not path.exists() and _create(path, space, dimension, True, patience, read_key(None))


def gallery_exists(location: str | Path) -> bool:
    """Whether there is something to open at a location; a server is taken to be there until it is asked.

    >>> gallery_exists("/no/such/people.db")
    False
    """
    return "://" in str(location) or Path(location).exists()


def read_space(location: str | Path) -> EmbeddingSpace:
    """What the embeddings of an existing gallery are of, without knowing the encoder.

    Raises:
        GalleryMissingError, NotAGalleryError, GallerySchemaError, GalleryDamagedError.
    """
    if is_server(location):
        with _server_store(str(location), None, None, False, PATIENCE) as store:
            return store.space
    path = Path(location)
    if not path.exists():
        raise _missing(path)
    require_file(path)
    with translated(str(path)):
        connection = schema.connect(path, PATIENCE, write=False)
        try:
            return schema.binding(connection, str(path)).space
        finally:
            connection.close()


def erase_gallery(location: str | Path, *, patience: float = PATIENCE) -> None:
    """Remove a gallery with everybody in it, so that no byte of it is left: file, log, search cache, locks, unfinished parts; or a server's tables.

    Args:
        location: as for `open_store`; nobody should have it open, for they would not notice before their next call.
        patience: seconds to wait for who writes to it.

    Raises:
        GalleryMissingError: nothing there.
        PersonHeldError: somebody in it may not be forgotten.
        NotAGalleryError: another kind of file; it stays.
        GalleryLockedError, GalleryReadOnlyError, GalleryUnavailableError.
    """
    if is_server(location):
        with server_extra():
            from sameface.gallery.postgres.namespaces import erase
        erase(str(location))
        return
    path = Path(location)
    if path.exists():
        with suppress(GalleryDamagedError, GallerySchemaError):
            read_space(path)  # somebody's own file is none of ours
            with translated(str(path)):
                schema.require_nobody_held(path, PATIENCE)
    files.erase(path, patience)


def distribute_gallery(location: str | Path) -> Spread:
    """Spread a gallery over the machines of a Citus cluster: people, templates and groups by person, names by name; each person is on one machine.

    Whoever has the gallery open must open it again.

    Args:
        location: ``postgresql://…`` of the coordinator.

    Raises:
        SettingError: a file, or a server without Citus.
        GalleryMissingError, GalleryLockedError, GalleryReadOnlyError, GalleryUnavailableError.
    """
    if not is_server(location):
        raise SettingError(
            expected="a gallery on a server",
            got=f"the file {location}",
            advice="copy it to a server first with `sameface gallery copy`",
        )
    with _server_store(str(location), None, None, False, PATIENCE) as store:
        return store.distribute()


def _server_store(
    location: str,
    space: EmbeddingSpace | None,
    dimension: int | None,
    create: bool,
    patience: float,
    threads: int | None = None,
    scan: Scan | None = None,
) -> PostgresStore:
    with server_extra():
        from sameface.gallery.postgres.store import PostgresStore
    return PostgresStore(
        location,
        space=space,
        dimension=dimension,
        create=create,
        patience=patience,
        in_clear=read_key(None) is None,  # who has a key wants no embedding on this disk in the clear
        threads=threads,
        scan=scan,
    )


def _of_same_space(store: TemplateStore, space: EmbeddingSpace | None, dimension: int | None) -> TemplateStore:
    try:
        require_same_space(store, space, dimension)
    except BaseException:
        store.close()
        raise
    return store


def require_same_space(store: TemplateStore, space: EmbeddingSpace | None, dimension: int | None) -> None:
    """Raise GalleryMismatchError unless a store holds embeddings of this space."""
    if space is not None and store.space != space:
        raise GalleryMismatchError(
            expected=f"a gallery of {space}",
            got=f"{store.location} of {store.space}",
            advice="use that encoder and detector, another gallery, or move this one with `sameface gallery reencode`",
        )
    if dimension is not None and store.dimension != dimension:
        raise GalleryMismatchError(
            expected=f"a gallery of {dimension}-dimensional embeddings",
            got=f"{store.location} of {store.dimension}-dimensional ones",
            advice="use the encoder that made it, or another gallery",
        )


def _create(
    path: Path,
    space: EmbeddingSpace | None,
    dimension: int | None,
    create: bool,
    patience: float,
    key: bytes | None,
    *,
    seal_names: bool = False,
) -> bool:
    if not create or space is None:
        raise _missing(path)
    if dimension is None:
        raise SettingError(expected="a dimension for a new gallery", got="none", advice="give the encoder's dimension")
    if seal_names and key is None:
        raise GalleryKeyError(
            expected="a key to encrypt names with", got="none", advice="set SAMEFACE_GALLERY_KEY, or give a key"
        )
    if not path.absolute().parent.is_dir():
        raise GalleryMissingError(
            expected=f"the folder {path.absolute().parent}",
            got="none there",
            advice="make the folder, or check the path",
        )
    queue = WriterQueue(path, patience)
    try:
        with queue.turn(), files.locks_go_unless_there(path), translated(str(path)):
            return schema.create(path, space, dimension, key=key, seal_texts=seal_names, patience=patience)
    except PermissionError as error:
        if isinstance(error, GalleryReadOnlyError):
            raise
        raise GalleryReadOnlyError(
            expected=f"to make a gallery at {path}", got="no permission", advice="choose a folder that may be written"
        ) from error
    finally:
        queue.close()


def _missing(path: Path) -> GalleryMissingError:
    return GalleryMissingError(
        expected=f"a gallery at {path}", got="nothing there", advice="enroll somebody first, or check the path"
    )

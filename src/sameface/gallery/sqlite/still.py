"""Reading a gallery file as it lies, where SQLite cannot share memory with whoever writes: on a full disk, or where one may only read.

Nothing then tells the reader of a change, so the file's size and time are looked at before and after each use. While there is a log with changes
that are not in the file yet, it is not read: it would be the gallery of some time ago, with people whom somebody has forgotten since.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from sameface.errors import GalleryLockedError, GalleryReadOnlyError, StorageFullError

_NO_SHARING: Final = {
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMMAP,
}
_NO_ROOM_OR_RIGHT: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


class Still(sqlite3.Connection):
    """A connection for reading a file as it lies, or a copy of it in memory.

    Attributes:
        path: of the file.
        seen: what the file was when it was opened, or copied.
    """

    path: Path
    seen: tuple[int, ...]


def way_to_share(path: Path) -> str | None:
    """How to open a file for reading together with writers, as a part of SQLite's address; None where that memory cannot be made."""
    if may_write(path):
        return "mode=rw"
    # Whoever may not write makes no files beside it either, in which its owner could not write. Those that are there are read.
    return "mode=ro&readonly_shm=1" if path.with_name(path.name + "-shm").exists() else None


def may_write(path: Path) -> bool:
    """Whether this user may write a gallery file and make files beside it."""
    as_who_runs = os.access in os.supports_effective_ids
    return all(os.access(place, os.W_OK, effective_ids=as_who_runs) for place in (path, path.absolute().parent))


def is_for(error: sqlite3.Error) -> bool:
    """Whether an error means that there is no room or no right for the memory that SQLite's readers and writers share."""
    extended = int(getattr(error, "sqlite_errorcode", 0) or 0)
    return extended in _NO_SHARING or extended & 0xFF in _NO_ROOM_OR_RIGHT


def settle(path: Path) -> None:
    """Without that memory, and alone with the file: copy its log into it, and take away what a failed try left beside it.

    Where others have the file open, or the disk is too full, everything stays as it is.
    """
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0.0, isolation_level=None)
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # from here on nobody else can have it open
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                path.with_name(path.name + "-shm").unlink(missing_ok=True)
        finally:
            connection.close()


def connect(path: Path, patience: float) -> Still:
    """Open a file for reading as it lies.

    Raises:
        sqlite3.Error: it cannot be read.
        GalleryReadOnlyError, StorageFullError: its log holds changes that are not in the file yet.
    """
    log = path.with_name(path.name + "-wal")
    seen = seen_now(path)
    if log.exists() and log.stat().st_size:
        if may_write(path):
            raise StorageFullError(
                expected=f"room to read {path}",
                got=f"a full disk, and changes in {log.name} that are not in the file yet",
                advice="free some space and try again; keep both files, nothing is lost",
            )
        raise GalleryReadOnlyError(
            expected=f"a gallery at {path} with all changes in the file",
            got=f"changes in {log.name} that are not in the file yet, and no right to read them there",
            advice="let somebody who may write open it once, or copy both files to where you may write",
        )
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
        factory=Still,
    )
    connection.path, connection.seen = path, seen
    return connection


def is_over(connection: sqlite3.Connection) -> bool:
    """Whether a file that is read as it lies was changed since it was opened."""
    return isinstance(connection, Still) and seen_now(connection.path) != connection.seen


def require_still(connection: sqlite3.Connection) -> None:
    """Raise GalleryLockedError when what was just read may be of two moments."""
    if is_over(connection):
        assert isinstance(connection, Still)
        raise GalleryLockedError(
            expected=f"{connection.path} as it was when it was opened",
            got="changes by somebody else while it was read",
            advice="try again",
        )


def seen_now(path: Path) -> tuple[int, ...]:
    """What tells a file from what it was: itself, its size and time, and its log's."""
    try:
        about = path.stat()
    except OSError:
        return ()
    seen: tuple[int, ...] = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
    with suppress(FileNotFoundError):
        log = path.with_name(path.name + "-wal").stat()
        if log.st_size:
            seen += (log.st_size, log.st_mtime_ns)
    return seen

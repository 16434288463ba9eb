"""Whether a path leads to a whole gallery file, found out without opening it beside SQLite.

POSIX cancels all locks that a process holds on a file when the process closes *any* of its descriptors of that file. One `open` and `close` of our
own, and another process takes itself for the last one that has the gallery open, and deletes the log that this one goes on writing to. So a gallery
file, its log and the log's index are opened by SQLite alone, which keeps count of its own descriptors; all else is asked of the file system.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sameface.errors import GalleryDamagedError, GalleryMismatchError, GalleryMissingError, NotAGalleryError


def require_file(path: Path) -> None:
    """Raise NotAGalleryError for a folder, a device and an empty file; the path exists."""
    if not path.is_file():
        raise NotAGalleryError(
            expected=f"a gallery file at {path}",
            got="a folder" if path.is_dir() else "a device or a pipe",
            advice="name a file, for instance people.db",
        )
    if path.stat().st_size == 0:
        raise NotAGalleryError(
            expected=f"a gallery at {path}",
            got="an empty file",
            advice="restore a backup; if it was meant to be new, delete it first",
        )


def identity(path: Path) -> tuple[int, int]:
    """What tells a file from another one of the same name. Raises FileNotFoundError."""
    status = path.stat()
    return status.st_dev, status.st_ino


def require_same_file(path: Path, opened: tuple[int, int]) -> None:
    """Raise unless the file that was opened is still the one of that name: changes to it would be seen by nobody.

    Raises:
        GalleryMissingError: it was deleted.
        GalleryMismatchError: another one was put in its place.
    """
    try:
        if identity(path) == opened:
            return
    except FileNotFoundError:
        raise GalleryMissingError(
            expected=f"the gallery at {path} that was opened",
            got="nothing there: it was deleted meanwhile",
            advice="open another, or make it anew",
        ) from None
    raise GalleryMismatchError(
        expected=f"the gallery at {path} that was opened",
        got="another file of that name, put in its place meanwhile",
        advice="open the gallery again",
    )


def require_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Raise GalleryDamagedError when the end of the file is missing: SQLite finds missing pages, but fills up the last one if it was cut.

    Args:
        connection: for reading, outside a transaction.
    """
    log = path.with_name(path.name + "-wal")
    connection.execute("BEGIN")  # while it lasts, nobody takes away what it sees
    try:
        pages, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        promised, size = pages * page, path.stat().st_size
        # While there is a log, pages may be there and not yet here.
        if size < promised and not (log.exists() and log.stat().st_size):
            raise GalleryDamagedError(
                expected=f"{promised} bytes in {path}", got=f"{size}: the file was cut short", advice="restore a backup"
            )
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")

"""SQLite's errors in this project's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sameface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryLockedError,
    GalleryReadOnlyError,
    NotAGalleryError,
    StorageFullError,
)

_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT,)
#: Writing failed for want of room; the second when the index of the log cannot grow.
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


#: What Python says, without a number, about text that is not UTF-8; SQLite's about tables and columns that are no longer there: all of them are ours.
_UNREADABLE: Final = ("Could not decode to UTF-8", "no such table", "no such column", "malformed")


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Run a block; every `sqlite3.Error` in it leaves as one of `sameface.errors`, which says what to do.

    Raises:
        GalleryLockedError, GalleryReadOnlyError, StorageFullError, GalleryDamagedError, NotAGalleryError, GalleryError.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _in_our_words(error, location) from error
    except UnicodeDecodeError as error:  # SQLite's own words about a table whose name is damaged
        raise _changed(location, "text that is no text") from error


def _in_our_words(error: sqlite3.Error, location: str) -> GalleryError:
    extended = int(getattr(error, "sqlite_errorcode", 0) or 0)
    code = extended & 0xFF
    text = str(error)
    if code in _BUSY:
        return GalleryLockedError(
            expected=f"a turn to use {location}",
            got="another process that held it for too long",
            advice="wait until that work is done and try again",
        )
    if code == sqlite3.SQLITE_READONLY:
        return GalleryReadOnlyError(
            expected=f"to write {location}",
            got="a file, folder or disk that may only be read",
            advice="change its permissions, or copy the gallery",
        )
    if extended in _FULL or code in _FULL:
        return StorageFullError(
            expected=f"room for {location}",
            got="a full disk; nothing of this change was stored, all before it is safe",
            advice="free some space",
        )
    if code == sqlite3.SQLITE_NOTADB:
        return NotAGalleryError(
            expected=f"a gallery at {location}",
            got="a file that is not SQLite, or whose head is damaged",
            advice="check the path, or restore a backup",
        )
    if code in _DAMAGED or extended == sqlite3.SQLITE_IOERR_SHORT_READ or text.startswith(_UNREADABLE):
        return _changed(location, text)
    if code == sqlite3.SQLITE_CANTOPEN:
        return GalleryReadOnlyError(
            expected=f"to open {location}",
            got="no permission, or a missing folder",
            advice="check the folder and its permissions",
        )
    return GalleryError(
        expected=f"to use {location}",
        got=f"SQLite says: {text}",
        advice="run `sameface gallery check`, and look at the disk",
    )


def _changed(location: str, text: str) -> GalleryDamagedError:
    return GalleryDamagedError(
        expected=f"a whole gallery at {location}",
        got=f"a file that is cut short or changed ({text})",
        advice="run `sameface gallery check`, then restore a backup or export what can still be read",
    )

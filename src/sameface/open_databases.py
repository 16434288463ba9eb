"""Database files that this process has open: nobody else here may open them, not even to look.

POSIX cancels all locks that a process holds on a file when the process closes any of its descriptors of that file. So `sameface identify *` in the
folder of its own gallery, which tries each file as a photo, would take SQLite's locks away.
"""

from __future__ import annotations

import weakref
from pathlib import Path

_open: weakref.WeakSet[OpenDatabase] = weakref.WeakSet()


class OpenDatabase:
    """A database that is open until `close` is called or nobody holds this object any more.

    Args:
        path: of an existing database file.
    """

    def __init__(self, path: Path) -> None:
        self._identity = _identity(path)
        _open.add(self)

    def close(self) -> None:
        """It is open no more."""
        _open.discard(self)

    def owns(self, path: Path) -> bool:
        """Whether a path leads to this database, its log or the log's index."""
        found = _identity(path)
        if found is None:
            return False
        whole = path.absolute()
        base = whole.parent / whole.name.removesuffix("-wal").removesuffix("-shm")
        return self._identity in (found, _identity(base) if base != whole else None)


def is_open(path: Path) -> bool:
    """Whether a path leads to a file of a database that is open in this process."""
    return bool(_open) and any(database.owns(path) for database in list(_open))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino

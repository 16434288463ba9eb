"""What an open store holds: this file, in this process."""

from __future__ import annotations

import os
from pathlib import Path

from sameface.errors import GalleryError
from sameface.gallery.sqlite.whole import identity, require_same_file
from sameface.open_databases import OpenDatabase


class Hold:
    """The file of a store, for as long as the store is open.

    Args:
        path: an existing gallery file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._process, self._file = path, os.getpid(), identity(path)
        self._open = OpenDatabase(path)

    @property
    def is_ours(self) -> bool:
        """Whether this is the process that opened it: one that was forked from it has the store, but none of SQLite's locks."""
        return os.getpid() == self._process

    def require(self) -> None:
        """Raise unless the store may be used: in the process that opened it, on the file that it opened.

        Raises:
            GalleryError: a forked process.
            GalleryMissingError, GalleryMismatchError: see `require_same_file`.
        """
        if not self.is_ours:
            raise GalleryError(
                expected=f"a gallery at {self._path} that was opened in this process",
                got="one that another opened before it forked",
                advice="open the gallery in each process",
            )
        require_same_file(self._path, self._file)

    def close(self) -> None:
        """The file may be opened by others here again."""
        self._open.close()

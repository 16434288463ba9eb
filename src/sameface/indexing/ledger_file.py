"""The file of a ledger: how it is made, opened by one run at a time, and what its errors are called."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sameface.errors import DataError, GalleryLockedError, GallerySchemaError, OutputError, StorageFullError
from sameface.files import path_as_text

#: "SFLE": what SQLite's `application_id` says of a ledger.
APPLICATION: Final = 0x53464C45
SCHEMA: Final = 1

_TABLES: Final = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE photo (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    stamp TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    faces INTEGER NOT NULL,
    error TEXT NOT NULL,
    lasting INTEGER NOT NULL,
    space TEXT NOT NULL,
    run INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE stale (sha256 TEXT PRIMARY KEY, faces INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX photo_of_size ON photo (size);
CREATE INDEX photo_of_content ON photo (sha256);
"""


class LedgerFile:
    """One SQLite file, open for one run at a time.

    Args:
        path: the file, made where missing, readable by its owner only.
        gallery: id of the gallery whose photos these are; a ledger of another one is begun anew.

    Raises:
        GalleryLockedError: another run works with it.
        StorageFullError, OutputError: no room; the file cannot be made or used. Every method raises them.
        DataError, GallerySchemaError: not a ledger; one of a newer sameface.
    """

    def __init__(self, path: Path, gallery: str = "") -> None:
        self.path = path
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # closing one that SQLite has open would drop its locks
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, timeout=1, isolation_level=None)
        try:
            with self._usable():
                self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # until it is closed, or the process is gone
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("BEGIN EXCLUSIVE")
                self._begin(gallery)
                self.run = int(self._about("run") or 0) + 1
                self._note("run", str(self.run))
                self._db.execute("COMMIT")
        except BaseException:
            self._db.close()
            raise

    def _begin(self, gallery: str) -> None:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application == APPLICATION and version > SCHEMA:
            raise GallerySchemaError(
                expected=f"a ledger of schema {SCHEMA} at {path_as_text(self.path)}",
                got=f"schema {version}",
                advice="install the newer sameface",
            )
        if application == APPLICATION:
            if self._about("gallery") != gallery:
                self._db.execute("DELETE FROM photo")
                self._db.execute("DELETE FROM stale")
        elif tables or application:
            raise DataError(
                expected=f"a ledger of photos at {path_as_text(self.path)}",
                got="another database",
                advice="name another --ledger file",
            )
        else:
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        self._note("gallery", gallery)

    def note(self, key: str, value: str) -> None:
        """Keep a word."""
        with self._usable():
            self._note(key, value)

    def about(self, key: str) -> str:
        """A word that was kept, "" for none."""
        with self._usable():
            return self._about(key)

    def close(self) -> None:
        """Let another run work with it."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _about(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def _note(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._usable():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, (StorageFullError, OutputError)):
                raise
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            where = path_as_text(self.path)
            if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in (ENOSPC, EDQUOT):
                raise StorageFullError(
                    expected=f"room for the ledger of photos at {where}",
                    got="a full disk; what was stored before is safe",
                    advice="free some space and run the same command again, or name another --ledger file",
                ) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise GalleryLockedError(
                    expected=f"one run at a time with {where}",
                    got="another one that works with it",
                    advice="wait until it is done",
                ) from error
            if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise DataError(
                    expected=f"a ledger of photos at {where}",
                    got=str(error),
                    advice="delete that file, it is made again from the photos",
                ) from error
            raise OutputError(
                expected=f"a ledger of photos at {where}", got=str(error), advice="name another --ledger file"
            ) from error

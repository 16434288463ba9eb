"""The ledger of an archive: every photo that was looked at, as it was then, and what came of it.

A run asks it which photos need no work, those without a face included. It holds paths and digests, no embedding. It can be made again: whoever
deletes it pays with reading the photos once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sameface.files import cache_folder
from sameface.indexing.ledger_file import LedgerFile
from sameface.indexing.sources import Listed

NO_NOTES: Final[Mapping[str, str]] = {}
#: Rows that are read at a time where all are read.
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a photo.

    Attributes:
        path, size, stamp: as listed when it was read.
        sha256: of its bytes, "" where they could not be read.
        faces: how many were found.
        error: why it could not be encoded, "" when it could.
        lasting: whether trying again is in vain while the file stays as it is.
        space: what the embeddings are of.
    """

    path: str
    size: int
    stamp: str
    sha256: str
    faces: int
    error: str
    lasting: bool
    space: str

    def is_of(self, listed: Listed, space: str) -> bool:
        """Whether nothing need be done for a photo that is listed so."""
        same = (self.size, self.stamp, self.space) == (listed.size, listed.stamp, space)
        return same and (not self.error or self.lasting)


def default_ledger(location: str) -> Path:
    """Where the ledger of a gallery lies: beside its file, or for one on a server in sameface's cache folder."""
    if "://" in location:
        return cache_folder() / "ledgers" / f"{hashlib.sha256(location.encode()).hexdigest()[:24]}.sqlite"
    return Path(location).parent / f"{Path(location).name}-photos"


class Ledger(LedgerFile):
    """What is known of every photo of an archive. See `LedgerFile` for how it is opened and what it raises."""

    # -- asking -------------------------------------------------------------------------------------------------------
    def entries(self, paths: Sequence[str]) -> dict[str, Entry]:
        """What is known of these photos, by path."""
        return {entry.path: entry for entry in self._where("path", paths)}

    def paths_of(self, digests: Sequence[str]) -> dict[str, list[str]]:
        """Where these contents lie now, by sha256."""
        found: dict[str, list[str]] = {}
        for entry in self._where("sha256", digests):
            found.setdefault(entry.sha256, []).append(entry.path)
        return found

    def faces_of(self, digests: Sequence[str]) -> dict[str, int]:
        """How many faces these contents have, by sha256, of those that were encoded; stale ones too."""
        found = {entry.sha256: entry.faces for entry in self._where("sha256", digests) if not entry.error}
        for part in _parts(digests):
            query = f"SELECT sha256, faces FROM stale WHERE sha256 IN ({_marks(part)})"
            found |= {sha: faces for sha, faces in self._rows(query, part) if sha not in found}
        return found

    def stale(self, most: int = 500) -> dict[str, int]:
        """Contents that a photo had and that may be no photo's now, with their faces, at most so many."""
        return dict(self._rows("SELECT sha256, faces FROM stale LIMIT ?", (most,)))

    def digests_of_size(self, size: int, most: int) -> tuple[str, ...]:
        """Contents of photos of a size that were encoded, at most so many."""
        rows = self._rows(
            "SELECT DISTINCT sha256 FROM photo WHERE size = ? AND error = '' AND sha256 <> '' LIMIT ?", (size, most)
        )
        return tuple(row[0] for row in rows)

    def not_seen(self, below: str) -> Iterator[list[Entry]]:
        """Photos whose paths begin so and that this run has not seen, some at a time; they may be dropped meanwhile."""
        after = below
        while True:
            rows = self._rows(
                f"SELECT {_COLUMNS} FROM photo WHERE path > ? AND path < ? AND run <> ? ORDER BY path LIMIT ?",
                (after, below[:-1] + chr(ord(below[-1]) + 1), self.run, _AT_ONCE),
            )
            if not rows:
                return
            after = rows[-1][0]
            yield [_entry(row) for row in rows]

    def everything(self) -> Iterator[Entry]:
        """Every photo, by path."""
        after = ""
        while True:
            rows = self._rows(f"SELECT {_COLUMNS} FROM photo WHERE path > ? ORDER BY path LIMIT ?", (after, _AT_ONCE))
            if not rows:
                return
            yield from map(_entry, rows)
            after = rows[-1][0]

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM photo")[0][0])

    # -- writing ------------------------------------------------------------------------------------------------------
    def put(self, entries: Iterable[Entry], *, seen: Iterable[str] = (), notes: Mapping[str, str] = NO_NOTES) -> None:
        """Note what came of some photos, all or none. What a photo held before is stale.

        Args:
            entries: what is known of each now.
            seen: photos of which nothing new is known, but that they are there.
            notes: words to keep, see `note`.
        """
        rows = [(e.path, e.size, e.stamp, e.sha256, e.faces, e.error, e.lasting, e.space, self.run) for e in entries]
        with self._usable(), self._transaction():
            self._make_stale(row[0] for row in rows)
            self._db.executemany("INSERT OR REPLACE INTO photo VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany("UPDATE photo SET run = ? WHERE path = ?", [(self.run, path) for path in seen])
            for key, value in notes.items():
                self._note(key, value)

    def seen(self, paths: Iterable[str]) -> None:
        """Note that these photos are still as they were."""
        with self._usable(), self._transaction():
            self._db.executemany("UPDATE photo SET run = ? WHERE path = ?", [(self.run, path) for path in paths])

    def drop(self, paths: Iterable[str]) -> None:
        """These photos are gone; what they held is stale."""
        gone = list(paths)
        with self._usable(), self._transaction():
            self._make_stale(gone)
            self._db.executemany("DELETE FROM photo WHERE path = ?", [(path,) for path in gone])

    def settle(self, digests: Iterable[str]) -> None:
        """These contents are stale no more: their faces are dropped, or a photo has them."""
        with self._usable(), self._transaction():
            self._db.executemany("DELETE FROM stale WHERE sha256 = ?", [(digest,) for digest in digests])

    # -- inside -------------------------------------------------------------------------------------------------------
    def _make_stale(self, paths: Iterable[str]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO stale SELECT sha256, faces FROM photo WHERE path = ? AND error = ''",
            [(path,) for path in paths],
        )

    def _where(self, column: str, values: Sequence[str]) -> Iterator[Entry]:
        for part in _parts(values):
            yield from map(_entry, self._rows(f"SELECT {_COLUMNS} FROM photo WHERE {column} IN ({_marks(part)})", part))


def _parts(values: Sequence[str]) -> Iterator[list[str]]:
    """Each value once, 500 at a time: SQLite's limit on parameters."""
    wanted = iter(dict.fromkeys(values))
    while part := list(islice(wanted, 500)):
        yield part


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


_COLUMNS: Final = "path, size, stamp, sha256, faces, error, lasting, space"


def _entry(row: tuple[Any, ...]) -> Entry:
    path, size, stamp, sha256, faces, error, lasting, space = row
    return Entry(path, size, stamp, sha256, faces, error, bool(lasting), space)

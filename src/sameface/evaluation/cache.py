"""Faces and embeddings that were made before, kept by content: a second evaluation takes seconds, a stopped one goes on.

A face is kept by the photo's sha256, the detector's id and the rule that chose it, so that encoders compared side by side detect once. An
embedding is kept by the photo's sha256, that rule and its space. Both are biometric data: the file is readable by its owner only, and removing
it is always safe.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from sameface.errors import OutputError, StorageFullError
from sameface.files import cache_folder
from sameface.types import Box, Detection, Embeddings, EmbeddingSpace, Landmarks

#: Longer embeddings (those of `pixels`) are made again: keeping them costs more than making them.
LONGEST_KEPT: Final = 4096

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS faces (detector TEXT, rule TEXT, photo TEXT, face TEXT, failure TEXT,
                                  PRIMARY KEY (detector, rule, photo)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS embeddings (space TEXT, photo TEXT, vector BLOB, PRIMARY KEY (space, photo)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class NoUsableFace:
    """Why a photo gave no face: a reason to count by, and one sentence."""

    reason: str
    message: str


#: What is known about a photo: the chosen face, or why there is none.
Found = Detection | NoUsableFace


def default_cache() -> Path:
    """Where evaluations keep embeddings: in sameface's cache folder."""
    return cache_folder() / "evaluation" / "embeddings.sqlite"


class EmbeddingCache:
    """One SQLite file of faces and embeddings. For one thread at a time.

    Args:
        path: the file, made where missing; None keeps everything in memory.

    Raises:
        StorageFullError, OutputError: no room; the file cannot be made or used. Every method raises them.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        with self._usable():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                if (
                    not path.exists()
                ):  # one that is there is SQLite's: closing it here would drop the locks of this process
                    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path if path is not None else ":memory:", timeout=60)
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._db.executescript(_SCHEMA)
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def embeddings(self, space: EmbeddingSpace, rule: str, photos: Iterable[str]) -> dict[str, Embeddings]:
        """Kept embeddings of these photos, by sha256."""
        return {
            photo: np.frombuffer(vector, dtype=np.float32)
            for photo, vector in self._select(
                "SELECT photo, vector FROM embeddings WHERE space = ?", (_key(space, rule),), photos
            )
        }

    def faces(self, detector: str, rule: str, photos: Iterable[str]) -> dict[str, Found]:
        """Kept faces, and kept failures, of these photos, by sha256."""
        rows = self._select(
            "SELECT photo, face, failure FROM faces WHERE detector = ? AND rule = ?", (detector, rule), photos
        )
        return {
            photo: _face(face) if face is not None else NoUsableFace(*json.loads(failure))
            for photo, face, failure in rows
        }

    def put(
        self,
        detector: str,
        rule: str,
        faces: Mapping[str, Found],
        space: EmbeddingSpace,
        vectors: Mapping[str, Embeddings],
    ) -> None:
        """Keep what was found and encoded, in one transaction."""
        with self._usable(), self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO faces VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        detector,
                        rule,
                        photo,
                        None if isinstance(found, NoUsableFace) else _text(found),
                        json.dumps([found.reason, found.message]) if isinstance(found, NoUsableFace) else None,
                    )
                    for photo, found in faces.items()
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [
                    (_key(space, rule), photo, vector.astype(np.float32).tobytes())
                    for photo, vector in vectors.items()
                    if vector.size <= LONGEST_KEPT
                ],
            )

    def _select(self, query: str, keys: tuple[str, ...], photos: Iterable[str]) -> list[tuple[Any, ...]]:
        wanted = list(dict.fromkeys(photos))
        rows: list[tuple[Any, ...]] = []
        for start in range(0, len(wanted), 500):  # SQLite's limit on parameters
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            with self._usable():
                rows += self._db.execute(f"{query} AND photo IN ({marks})", (*keys, *part)).fetchall()
        return rows

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            where = str(self._path) if self._path is not None else "memory"
            if (
                getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
                or getattr(error, "errno", None) == ENOSPC
            ):
                raise StorageFullError(
                    expected=f"room for embeddings in {where}",
                    got="a full disk; what was kept before is safe",
                    advice="free some space, set SAMEFACE_CACHE to another folder, or use --no-cache",
                ) from error
            raise OutputError(
                expected=f"a cache of embeddings at {where}",
                got=str(error),
                advice="delete that file, it can be made again; set SAMEFACE_CACHE to another folder, or use --no-cache",
            ) from error


def _key(space: EmbeddingSpace, rule: str) -> str:
    return f"{space}; {rule}"


def _text(found: Detection) -> str:
    points = found.landmarks
    return json.dumps(
        {
            "box": list(map(float, found.box.xyxy)),
            "confidence": float(found.confidence),
            "turns": found.turns,
            "landmarks": None if points is None else [points.scheme, np.asarray(points.points_xy, float).tolist()],
        }
    )


def _face(text: str) -> Detection:
    fields = json.loads(text)
    points: Sequence[object] | None = fields["landmarks"]
    return Detection(
        Box(*fields["box"]),
        fields["confidence"],
        None if points is None else Landmarks(str(points[0]), np.array(points[1], dtype=np.float32)),
        fields.get("turns", 0),
    )

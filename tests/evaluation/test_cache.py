"""The cache of embeddings when something is wrong with its file; what it keeps is tried in test_embed.py."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sameface.errors import OutputError, StorageFullError
from sameface.evaluation.cache import EmbeddingCache
from sameface.types import EmbeddingSpace

SPACE = EmbeddingSpace("e", "d", "a")
VECTORS = {f"{number:064x}": np.full(4, number, np.float32) for number in range(1200)}


def test_more_photos_than_sqlite_takes_parameters(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "cache.db") as cache:
        cache.put("d", "centre", {}, SPACE, VECTORS)
        found = cache.embeddings(SPACE, "centre", [*VECTORS, "f" * 64])
    assert found.keys() == VECTORS.keys()
    assert all(found[photo].tolist() == vector.tolist() for photo, vector in VECTORS.items())


def test_nothing_is_given_to_another_space_or_rule(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "cache.db") as cache:
        cache.put("d", "centre", {}, SPACE, VECTORS)
        for other in (EmbeddingSpace("f", "d", "a"), EmbeddingSpace("e", "c", "a"), EmbeddingSpace("e", "d", "b")):
            assert cache.embeddings(other, "centre", VECTORS) == {}
        assert cache.embeddings(SPACE, "largest", VECTORS) == {}
        assert cache.embeddings(SPACE, "centre", []) == {}


def test_a_full_disk_is_said_and_what_was_kept_stays(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    first = dict(list(VECTORS.items())[:10])
    with EmbeddingCache(path) as cache:
        cache.put("d", "centre", {}, SPACE, first)
        pages = cache._db.execute("PRAGMA page_count").fetchone()[0]
        cache._db.execute(f"PRAGMA max_page_count = {pages}")  # as a disk that has no page more
        with pytest.raises(StorageFullError, match="what was kept before is safe"):
            cache.put("d", "centre", {}, SPACE, VECTORS)
    with EmbeddingCache(path) as cache:
        assert cache.embeddings(SPACE, "centre", VECTORS).keys() == first.keys()


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"somebody's notes, not a database, and long enough to be read as one" * 50)
    before = path.read_bytes()
    with pytest.raises(OutputError):
        EmbeddingCache(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError):
        EmbeddingCache(tmp_path / "file" / "cache.db")


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "below" / "cache.db"
    EmbeddingCache(path).__exit__(None, None, None)
    assert path.stat().st_mode & 0o077 == 0


def test_in_memory_it_ends_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with EmbeddingCache(None) as cache:
        cache.put("d", "centre", {}, SPACE, VECTORS)
        assert len(cache.embeddings(SPACE, "centre", VECTORS)) == 1200
    assert list(tmp_path.iterdir()) == []
    with pytest.raises((OutputError, sqlite3.ProgrammingError)):
        cache.embeddings(SPACE, "centre", VECTORS)

"""The ledger on its own: what it keeps, for whom, and what it refuses to be."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from sameface.errors import DataError, GallerySchemaError, OutputError
from sameface.indexing.ledger import Entry, Ledger, default_ledger
from sameface.indexing.sources import Listed


def entry(path: str, sha256: str = "aa", faces: int = 1, error: str = "", lasting: bool = False) -> Entry:
    return Entry(path, 10, "1", sha256, faces, error, lasting, "space")


def test_what_needs_no_work() -> None:
    listed = Listed("a.jpg", 10, "1")
    assert entry("a.jpg").is_of(listed, "space")
    assert not entry("a.jpg").is_of(Listed("a.jpg", 11, "1"), "space")
    assert not entry("a.jpg").is_of(Listed("a.jpg", 10, "2"), "space")
    assert not entry("a.jpg").is_of(listed, "another encoder")
    assert not entry("a.jpg", error="no permission").is_of(listed, "space")
    assert entry("a.jpg", error="no photo", lasting=True).is_of(listed, "space")


def test_kept_from_run_to_run(tmp_path: Path) -> None:
    place = tmp_path / "ledger"
    with Ledger(place, "g") as book:
        book.put(
            [entry("/p/a.jpg"), entry("/p/b.jpg", "bb", 0), entry("/pp/c.jpg", "cc"), entry("/p/d.jpg", "", 0, "x")]
        )
        assert len(book) == 4
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with Ledger(place, "g") as book:
        assert book.entries(["/p/a.jpg", "/p/none.jpg"]) == {"/p/a.jpg": entry("/p/a.jpg")}
        assert book.faces_of(["aa", "bb", "zz"]) == {"aa": 1, "bb": 0}
        assert book.digests_of_size(10, 10) == ("aa", "bb", "cc")
        book.seen(["/p/a.jpg"])
        assert [e.path for part in book.not_seen("/p/") for e in part] == ["/p/b.jpg", "/p/d.jpg"]
        assert [e.path for e in book.everything()] == ["/p/a.jpg", "/p/b.jpg", "/p/d.jpg", "/pp/c.jpg"]
    with Ledger(place, "another gallery") as book:
        assert len(book) == 0


def test_contents_that_nobody_has_any_more(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as book:
        book.put([entry("a", "aa", 2), entry("b", "bb", 0)])
        book.put([entry("a", "cc", 1)])
        assert book.stale() == {"aa": 2}
        assert book.faces_of(["aa", "cc"]) == {"aa": 2, "cc": 1}
        book.drop(["a", "b"])
        assert book.stale() == {"aa": 2, "bb": 0, "cc": 1}
        book.settle(["aa", "bb"])
        assert book.stale() == {"cc": 1}


def test_many_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as book:
        book.put(entry(f"/p/{number:05d}", f"{number:05d}") for number in range(2500))
        assert len(book.entries([f"/p/{number:05d}" for number in range(0, 5000, 2)])) == 1250
        assert sum(1 for _ in book.everything()) == 2500


def test_files_that_are_no_ledger(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(DataError, match="another database"):
        Ledger(other)
    text = tmp_path / "text.txt"
    text.write_text("certainly no database " * 100)
    with pytest.raises(DataError, match="ledger"):
        Ledger(text)
    with pytest.raises(OutputError):
        Ledger(tmp_path / "text.txt" / "ledger")
    newer = tmp_path / "newer"
    Ledger(newer).close()
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(GallerySchemaError, match="99"):
        Ledger(newer)
    assert text.read_text().startswith("certainly")


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    assert default_ledger("/data/archive.db") == Path("/data/archive.db-photos")
    on_server = {default_ledger(f"postgresql://faces.example/{name}") for name in "ab"}
    assert len(on_server) == 2
    assert all(path.parent == tmp_path / "ledgers" for path in on_server)

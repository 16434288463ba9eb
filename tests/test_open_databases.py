"""What counts as a file of a database that is open here."""

from __future__ import annotations

import gc
from pathlib import Path

from sameface.open_databases import OpenDatabase, is_open


def test_a_database_its_log_and_links_to_it_until_it_is_closed(tmp_path: Path) -> None:
    path, photo = tmp_path / "people.db", tmp_path / "photo.jpg"
    for file in (path, photo, tmp_path / "people.db-wal", tmp_path / "people.db-shm", tmp_path / "other.db-wal"):
        file.write_bytes(b"x")
    (tmp_path / "link").symlink_to(path)
    assert not is_open(path)
    held = OpenDatabase(path)
    again = OpenDatabase(tmp_path / "link")
    for name in ("people.db", "people.db-wal", "people.db-shm", "link", "../" + tmp_path.name + "/people.db"):
        assert is_open(tmp_path / name), name
    for name in ("photo.jpg", "other.db-wal", "nothing", "people.db-journal"):
        assert not is_open(tmp_path / name), name
    assert not is_open(Path("a\0b"))
    assert not is_open(Path("/"))  # it has no name
    held.close()
    assert is_open(path)
    del again
    gc.collect()
    assert not is_open(path)

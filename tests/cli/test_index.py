"""`sameface index` at the shell, on the shipped photos and the real networks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "2009").mkdir(parents=True)
    for name in ("obama.jpg", "biden.jpg"):
        shutil.copy(photos / name, root / name)
    shutil.copy(photos / "obama2.jpg", root / "2009" / "obama2.jpg")
    return root


def test_index_and_find_by_example(run: Run, folder: Path, photos: Path, tmp_path: Path) -> None:
    done = run("index", folder, "--gallery", "a.db", "--json")
    assert done.code == 0
    assert {key: done.json[key] for key in ("photos", "faces", "known", "without_face", "gone", "failed")} == {
        "photos": 3,
        "faces": 3,
        "known": 0,
        "without_face": 0,
        "gone": 0,
        "failed": [],
    }
    found = run("index", "--like", photos / "obama3.jpg", "--gallery", "a.db", "--json")
    assert found.code == 0
    assert [Path(item["photo"]).name for item in found.json][-1] == "biden.jpg"
    assert found.json[0]["distance"] < found.json[1]["distance"] < found.json[2]["distance"]

    (folder / "obama.jpg").rename(folder / "2009" / "renamed.jpg")
    (folder / "biden.jpg").unlink()
    again = run("index", folder, "--gallery", "a.db")
    assert again.code == 0
    assert "0 photos, 0 faces; 2 known before, 0 without a face, 2 gone, 0 failed" in again.out
    found = run("index", "--like", photos / "obama3.jpg", "--gallery", "a.db", "--top", "5", "--json")
    assert sorted(Path(item["photo"]).name for item in found.json) == ["obama2.jpg", "renamed.jpg"]  # where it lies now
    assert "renamed.jpg" in run("index", "--like", photos / "obama3.jpg", "--gallery", "a.db").out


def test_what_failed_is_named_and_the_exit_code_says_so(run: Run, folder: Path) -> None:
    (folder / "cut.jpg").write_bytes((folder / "obama.jpg").read_bytes()[:9000])
    done = run("index", folder, "--gallery", "a.db")
    assert done.code == 1
    assert "cut.jpg: expected" in done.err
    assert "3 photos, 3 faces" in done.out
    assert run("index", folder, "--gallery", "a.db").code == 1  # still so
    (folder / "cut.jpg").unlink()
    assert run("index", folder, "--gallery", "a.db").code == 0


def test_a_folder_without_photos_makes_no_gallery(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty" / "inside").mkdir(parents=True)
    (tmp_path / "empty" / "notes.txt").write_text("no photo", encoding="utf-8")
    done = run("index", "empty", "--gallery", "a.db")
    assert done.code == 8
    assert "expected photos in" in done.err
    assert "got none" in done.err
    assert "Check the path" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_gallery_that_was_there_stays(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("index", folder, "--gallery", "a.db").code == 0
    (tmp_path / "empty").mkdir()
    assert run("index", "empty", "--gallery", "a.db").code == 8
    assert run("gallery", "stats", "--gallery", "a.db", "--json").json["people"] == 3


def test_tables(run: Run, folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("index", folder, "--gallery", "a.db", "--parquet", tmp_path / "out").code == 0
    assert parquet.read_table(tmp_path / "out" / "photos.parquet").num_rows == 3
    assert parquet.read_table(tmp_path / "out" / "faces.parquet").num_rows == 3
    assert run("index", "--parquet", tmp_path / "again", "--gallery", "a.db").code == 0


def test_progress_lines_where_there_is_no_terminal(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_PROGRESS", "1e-9")
    done = run("index", folder, "--gallery", "a.db")
    lines = [line for line in done.err.splitlines() if line.startswith("photos: ")]
    assert [line.split(",")[0] for line in lines] == ["photos: 1 of 3", "photos: 2 of 3", "photos: 3 of 3"]
    assert all("/s" in line for line in lines)
    assert "\r" not in done.err
    assert "\x1b" not in done.err
    monkeypatch.setenv("SAMEFACE_PROGRESS", "0")
    assert "photos: " not in run("index", folder, "--gallery", "a.db").err
    monkeypatch.setenv("SAMEFACE_PROGRESS", "often")
    assert run("index", folder, "--gallery", "a.db").code == 2


def test_bad_input(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("index", "--gallery", "a.db").code == 2
    assert run("index", tmp_path / "none", "--gallery", "a.db").code == 2
    assert run("index", "memory://none", "--gallery", "a.db").code == 8
    assert run("index", folder, "--gallery", "b.db", "--ledger", "b.db").code == 2
    assert run("index", "--like", folder / "obama.jpg", "--gallery", "none.db").code == 6
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("index", empty, "--gallery", "c.db").code == 8
    assert not (tmp_path / "c.db").exists()

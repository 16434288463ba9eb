"""The one walk over a tree of photos, and paths as text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.files import Skipped, path_as_text, path_from_text, photos_below


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(folder: Path, **rest: object) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in photos_below(folder, **rest)]  # type: ignore[arg-type]


def test_what_counts_as_a_photo_and_in_which_order(tmp_path: Path) -> None:
    touch(
        *(tmp_path / name for name in ("10.jpg", "2.HEIF", "b/1.mpo", "b/c/3.jpe", "a.txt", ".hidden.jpg", ".x/1.jpg"))
    )
    os.mkfifo(tmp_path / "pipe.jpg")  # opening it would wait for ever
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    skipped: list[Skipped] = []
    assert names(tmp_path, skipped=skipped.append) == ["2.HEIF", "10.jpg", "b/1.mpo", "b/c/3.jpe"]
    assert {(item.path.name, item.lost) for item in skipped} == {
        ("a.txt", False),
        ("gone.png", True),
        ("pipe.jpg", True),
    }


@pytest.mark.timeout(20)
def test_links_in_circles_and_upwards(tmp_path: Path) -> None:
    top = tmp_path / "outside" / "top"
    touch(tmp_path / "outside" / "not mine.jpg", top / "1.jpg", top / "b" / "2.jpg", tmp_path / "else" / "3.jpg")
    (top / "b" / "self").symlink_to(top / "b")
    (top / "b" / "up").symlink_to(top)
    (top / "above").symlink_to(tmp_path)
    (top / "root").symlink_to("/")
    (top / "a link").symlink_to(tmp_path / "else")
    (top / "a link to b").symlink_to(top / "b")  # found where it really lies, though the link comes first
    (top / "loop").symlink_to(top / "loop")
    (tmp_path / "else" / "back").symlink_to(top)
    assert names(top, skipped=lambda item: None) == ["1.jpg", "b/2.jpg", "a link/3.jpg"]


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "b" / "2.jpg")
    listed = Path.iterdir

    def denied(path: Path):  # type: ignore[no-untyped-def]  # root may list anything
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(PermissionError):
        names(tmp_path)
    skipped: list[Skipped] = []
    assert names(tmp_path, skipped=skipped.append) == ["b/2.jpg"]
    assert [(item.path.name, item.lost) for item in skipped] == [("a", True)]
    with pytest.raises(FileNotFoundError):
        names(tmp_path / "none", skipped=skipped.append)


@given(st.lists(st.sampled_from([b"\\", b"x", b"\xff", b"ff", b"e9", b"\xc3\xa9", b"a/", b"80", b"7f"]), max_size=12))
def test_every_path_survives_as_text(parts: list[bytes]) -> None:
    path = Path(os.fsdecode(b"".join([b"a", *parts])))
    text = path_as_text(path)
    text.encode("utf-8")
    assert path_from_text(text) == path


def test_ordinary_paths_stay_as_they_are() -> None:
    for plain in ("photos/René.jpg", "C:\\photos\\ada.jpg", "a\\xyz.jpg", "日本.png"):
        assert path_as_text(plain) == plain
    assert path_as_text("half a pair \ud800") == "half a pair \\ud800"

"""The one walk over a tree of photos, paths as text, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import NotAnImageError, OutputError, StorageFullError
from sameface.files import (
    Skipped,
    atomic_write,
    cache_folder,
    identity_of,
    natural,
    path_as_text,
    path_from_text,
    photos_below,
    sha256_of,
)


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


# -- written whole or not at all ------------------------------------------------------------------------------------------
def left(folder: Path) -> list[str]:
    """Everything in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def write_half(path: Path, fault: BaseException) -> None:
    """Begin to write, and fail."""
    with atomic_write(path) as part:
        part.write_bytes(b"half")
        raise fault


def test_a_file_appears_whole_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "card.toml"
    with atomic_write(path) as part:
        assert part.parent == path.parent  # on the same disk, so that it can be moved there at once
        part.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert left(path.parent) == ["card.toml"]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, NotAnImageError])
def test_what_was_there_stays_when_the_writing_fails(tmp_path: Path, fault: type[BaseException]) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(b"old")
    made = fault(expected="a", got="b", advice="c") if issubclass(fault, NotAnImageError) else fault()
    with pytest.raises(fault) as caught:
        write_half(path, made)
    assert caught.value is made
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["card.toml"]


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
@pytest.mark.parametrize(("everybody", "mode"), [(False, 0o600), (True, 0o644)])
def test_only_its_owner_may_read_it_unless_it_is_for_everybody(tmp_path: Path, everybody: bool, mode: int) -> None:
    path = tmp_path / "embeddings.db"
    path.write_bytes(b"old")
    path.chmod(0o666)
    with atomic_write(path, everybody=everybody) as part:
        assert part.stat().st_mode & 0o777 == 0o600  # nobody reads it while it is made
        part.write_bytes(b"new")
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(StorageFullError, match="nothing was written"):
        write_half(path, OSError(number, "no room"))
    assert left(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "below.txt", tmp_path / "folder"):
        with pytest.raises(OutputError, match="another place"), atomic_write(path) as part:
            part.write_bytes(b"new")
    assert left(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_the_longest_name_that_a_disk_takes(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".txt")
    with atomic_write(path) as part:
        part.write_bytes(b"new")
    assert left(tmp_path) == [path.name]


def test_of_many_writers_one_wins_whole(tmp_path: Path) -> None:
    path = tmp_path / "shared.bin"
    contents = [bytes([number]) * 50_000 for number in range(8)]

    def write(content: bytes) -> None:
        for _ in range(10):
            with atomic_write(path) as part:
                part.write_bytes(content)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, contents))
    assert left(tmp_path) == ["shared.bin"]


@given(st.binary(max_size=300))
def test_the_digest_is_hashlibs(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        assert sha256_of(path) == hashlib.sha256(content).hexdigest()


@given(st.lists(st.tuples(st.sampled_from(["s", "t", "img "]), st.integers(0, 2000)), min_size=1, max_size=12))
def test_numbers_sort_as_numbers(parts: list[tuple[str, int]]) -> None:
    paths = [Path(f"{word}{number}.jpg") for word, number in parts]
    expected = [Path(f"{word}{number}.jpg") for word, number in sorted(parts)]
    assert sorted(paths, key=natural) == expected


def test_the_cache_lies_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.setenv("SAMEFACE_CACHE", "")  # said to be nothing: the system's own
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "sameface"
    assert left(tmp_path) == []  # asking makes nothing


def test_one_file_by_two_names_is_one(tmp_path: Path) -> None:
    path, link, copy = tmp_path / "a.jpg", tmp_path / "link.jpg", tmp_path / "copy.jpg"
    path.write_bytes(b"x")
    copy.write_bytes(b"x")
    link.symlink_to(path)
    assert identity_of(path) == identity_of(link) != identity_of(copy)
    path.rename(tmp_path / "moved.jpg")
    assert identity_of(tmp_path / "moved.jpg") != identity_of(copy)

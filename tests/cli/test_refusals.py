"""A command that cannot do what it was asked says which file it is about, and leaves nothing behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.left_out import lacking


def mounted(folder: Path, options: str) -> None:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        lacking("the right to mount a disk", "run them as root")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A disk that may only be read."""
    mounted(tmp_path / "disk", "ro")
    yield tmp_path / "disk"
    subprocess.run(["umount", str(tmp_path / "disk")], capture_output=True, check=True)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk without room for a byte."""
    mounted(tmp_path / "disk", "size=4k")
    (tmp_path / "disk" / "filler").write_bytes(bytes(4096))
    yield tmp_path / "disk"
    subprocess.run(["umount", str(tmp_path / "disk")], capture_output=True, check=True)


@pytest.mark.parametrize("command", [["keys", "add", "read", "--keys", "{}/keys.json"], ["serve", "{}/galleries"]])
def test_a_disk_that_may_only_be_read_is_said_in_words(run: Run, read_only: Path, command: list[str]) -> None:
    pytest.importorskip("uvicorn")
    done = run(*(word.format(read_only) for word in command))
    assert done.code != 0
    assert "Errno" not in done.err
    assert "Read-only file system" in done.err
    assert str(read_only) in done.err


def test_on_a_full_disk_nothing_is_begun(run: Run, full: Path, photos: Path) -> None:
    done = run("keys", "add", "read", "--keys", full / "new" / "keys.json")
    assert done.code == 6
    assert "a full disk" in done.err
    done = run("enroll", "Obama", photos / "obama.jpg", "-g", full / "people.db")
    assert (done.code, "people.db" in done.err) == (6, True)
    run("enroll", "Obama", photos / "obama.jpg")
    done = run("gallery", "copy", "people.db", full / "copy.db")
    assert (done.code, "copy.db" in done.err) == (6, True)
    done = run("gallery", "export", full / "sub" / "people.npz")
    assert done.code == 6
    assert sorted(file.name for file in full.rglob("*")) == ["filler"]


def test_people_whose_names_differ_in_capitals_are_told(run: Run, photos: Path, tmp_path: Path) -> None:
    for name, photo in (("Ann", "obama.jpg"), ("ann", "grace_hopper.jpg"), ("Bea", "biden.jpg")):
        (tmp_path / "tree" / name).mkdir(parents=True)
        (tmp_path / "tree" / name / "1.jpg").write_bytes((photos / photo).read_bytes())
    done = run("enroll", "tree")
    assert done.code == 0
    assert "ann and Ann are two people here" in done.err
    assert "Bea" not in done.err
    assert "two people" not in run("enroll", "Bea", photos / "biden.jpg").err
    told = run("enroll", "BEA", photos / "biden.jpg", "--review", "off").err
    assert "BEA and Bea are two people here" in told

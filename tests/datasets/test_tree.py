"""People in a tree: who is somebody's, what is nobody's, and that nothing is left out without a word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sameface.datasets.tree import read_tree, refuse_deep
from sameface.errors import DataError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_nested_folders_are_the_persons_and_hidden_ones_nobody(tmp_path: Path) -> None:
    touch(
        tmp_path / "s10" / "1.jpg",
        tmp_path / "s2" / "2.jpg",
        tmp_path / "s2" / "holiday" / "3.jpg",
        tmp_path / "s2" / ".thumbs" / "4.jpg",
        tmp_path / ".cache" / "5.jpg",
        tmp_path / "stray.jpg",
        tmp_path / "s2" / "notes.txt",
        tmp_path / "years" / "2024" / "6.jpg",
    )
    (tmp_path / "nobody").mkdir()
    tree = read_tree(tmp_path)
    assert {name: [photo.name for photo in photos] for name, photos in tree.people.items()} == {
        "s2": ["2.jpg", "3.jpg"],
        "s10": ["1.jpg"],
    }
    assert list(tree.people) == ["s2", "s10"]
    assert [item.name for item in tree.empty] == ["nobody"]
    assert [item.name for item in tree.deep] == ["years"]
    assert sorted(item.path.name for item in tree.skipped) == ["notes.txt", "stray.jpg"]
    with pytest.raises(DataError, match="years"):
        refuse_deep(tree)
    assert list(read_tree(tmp_path, only={"s10"}).people) == ["s10"]


@pytest.mark.timeout(20)
def test_links_make_nobody_somebody_else(tmp_path: Path) -> None:
    top = tmp_path / "people"
    touch(top / "Ada" / "1.jpg", top / "Bob" / "2.jpg", tmp_path / "else" / "3.jpg")
    (top / "Ada" / "friend").symlink_to(top / "Bob")
    (top / "Ada" / "all").symlink_to(top)
    (top / "Ada" / "more").symlink_to(tmp_path / "else")
    (top / "Cy").symlink_to(tmp_path / "else")
    tree = read_tree(top)
    assert {name: [photo.name for photo in photos] for name, photos in tree.people.items()} == {
        "Ada": ["1.jpg"],  # "more" is Cy's folder
        "Bob": ["2.jpg"],
        "Cy": ["3.jpg"],
    }


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    touch(Path(os.fsdecode(os.fsencode(tmp_path) + b"/ren\xe9/1.jpg")))
    assert list(read_tree(tmp_path).people) == ["ren\\xe9"]

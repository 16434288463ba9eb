"""Omniglot as it is unpacked, and the split files of the literature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.datasets import LabelledPhotos, open_data, read_omniglot
from sameface.datasets.omniglot import is_omniglot
from sameface.datasets.photo import source_of
from sameface.errors import DataError
from sameface.imaging import load_image


@pytest.fixture
def alphabets(tmp_path: Path) -> Path:
    """Two archives' folders: two alphabets of two characters, and one of one; names as published."""
    for at, (alphabet, character) in enumerate(
        [
            ("images_background/Greek", "character01"),
            ("images_background/Greek", "character02"),
            ("images_background/Alphabet_of_the_Magi", "character01"),
            ("images_background/Alphabet_of_the_Magi", "character02"),
            ("images_evaluation/Angelic", "character01"),
        ]
    ):
        folder = tmp_path / alphabet / character
        folder.mkdir(parents=True)
        for drawer in (1, 2, 3):
            (folder / f"{at:04d}_{drawer:02d}.png").write_bytes(b"drawing")
    return tmp_path


def test_characters_are_labelled_with_their_alphabet(alphabets: Path) -> None:
    found = read_omniglot(alphabets / "images_background")
    assert found.names == (
        "Alphabet_of_the_Magi/character01",
        "Alphabet_of_the_Magi/character02",
        "Greek/character01",
        "Greek/character02",
    )
    assert found.groups["alphabet"] == ("Alphabet_of_the_Magi",) * 2 + ("Greek",) * 2
    assert found.people.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert [photo.name for photo in found.photos[6:9]] == ["0000_01.png", "0000_02.png", "0000_03.png"]


def test_both_archives_are_read_from_the_folder_above(alphabets: Path) -> None:
    assert len(read_omniglot(alphabets).names) == 5


def test_a_split_of_the_literature_names_characters_by_their_turns(alphabets: Path, tmp_path: Path) -> None:
    split = tmp_path / "test.txt"
    split.write_text("Greek/character02/rot000\nGreek/character02/rot090\nAngelic/character01/rot000\n")
    found = read_omniglot(alphabets, split)
    assert found.names == ("Greek/character02", "Greek/character02/rot090", "Angelic/character01")
    assert len(found.photos) == 9
    assert found.groups["alphabet"] == ("Greek", "Greek", "Angelic")


def test_a_turned_character_is_turned_against_the_clock(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 2, (5, 5), dtype=np.uint8) * 255
    for name in ("character01", "character02"):
        (tmp_path / "Greek" / name).mkdir(parents=True)
        Image.fromarray(grey).convert("1").save(tmp_path / "Greek" / name / "0001_01.png")
    split = tmp_path / "test.txt"
    turns = ("rot000", "rot090", "rot180", "rot270")
    split.write_text("".join(f"Greek/character01/{turn}\n" for turn in turns))
    found = read_omniglot(tmp_path, split)
    for number, photo in enumerate(found.photos):
        pixels = load_image(source_of(photo))[..., 0]
        assert pixels.tolist() == np.rot90(grey, number).tolist()


def test_open_data_knows_omniglot_from_people(alphabets: Path, tmp_path: Path) -> None:
    opened = open_data(alphabets / "images_background")
    assert isinstance(opened, LabelledPhotos)
    assert "alphabet" in opened.groups
    assert is_omniglot(alphabets)
    people = tmp_path / "people" / "Ada"
    people.mkdir(parents=True)
    assert not is_omniglot(people.parent)
    assert not is_omniglot(tmp_path / "nothing")


@pytest.mark.parametrize(
    "lines",
    [
        "Greek\n",
        "Greek/alpha\n",
        "Greek/character09\n",
        "Greek/character01\n",
        "Greek/character01/rot045\nGreek/character02\n",
    ],
)
def test_splits_that_cannot_be(alphabets: Path, tmp_path: Path, lines: str) -> None:
    split = tmp_path / "split.txt"
    split.write_text(lines)
    with pytest.raises(DataError):
        read_omniglot(alphabets, split)
    with pytest.raises(DataError):
        read_omniglot(alphabets, tmp_path / "missing.txt")

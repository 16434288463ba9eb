"""Photos by name: each name that is given finds its own photo again."""

from __future__ import annotations

from pathlib import Path

import pytest

from sameface.datasets.naming import find_photos, photo_names
from sameface.datasets.photo import PackedPhoto, Photo
from sameface.errors import DataError


@pytest.mark.parametrize(
    "photos",
    [
        [Path("lfw/Ada/1.jpg"), Path("lfw/Ada/2.jpg"), Path("lfw/Bo/1.jpg")],
        [Path("lfw/1.jpg"), Path("lfw/Ada/1.jpg")],  # one name is the end of the other
        [Path("a/lfw/Ada/1.jpg"), Path("b/lfw/Ada/1.jpg")],
        [Path("/data/1.jpg"), Path("other/1.jpg")],
        [PackedPhoto(Path("x.bin"), ((0, 1),), "image 0"), PackedPhoto(Path("x.bin"), ((1, 1),), "image 1")],
    ],
)
def test_names_find_their_photos(photos: list[Photo]) -> None:
    names = photo_names(photos)
    assert len(set(names)) == len(photos)
    assert find_photos(photos, names, "x") == {name: place for place, name in enumerate(names)}


def test_a_name_that_several_photos_have() -> None:
    photos = [Path("lfw/Ada/1.jpg"), Path("lfw/Bo/1.jpg")]
    with pytest.raises(DataError, match="Ada"):
        find_photos(photos, ["1.jpg"], "labels.csv")
    assert find_photos(photos, ["", "2.jpg", "o/1.jpg"], "labels.csv") == {}

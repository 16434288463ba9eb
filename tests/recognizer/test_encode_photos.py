"""Many photos in one call: in order, in batches, each error in its place; every embedding as from a call of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sameface import Recognizer
from sameface.errors import ImageNotFoundError, NoFaceError, NotAnImageError, SettingError
from sameface.recognizer import recognizer as module


@pytest.fixture(scope="module")
def crops() -> Recognizer:
    return Recognizer(detector="none", encoder="pixels")


def pictures(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (count, 24, 24, 3), dtype=np.uint8))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_as_one_by_one_over_every_end_of_a_batch(
    crops: Recognizer, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    found = list(crops.encode_photos(pictures(count)))
    assert len(found) == count
    for image, face in zip(pictures(count), found, strict=True):
        assert not isinstance(face, Exception)
        assert np.abs(face.embedding - crops.encode_photo(image).embedding).max() < 1e-6


def test_errors_stand_in_their_places(crops: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    first, second = pictures(2)
    found = list(crops.encode_photos([first, tmp_path / "none.jpg", b"no photo", second, b""]))
    assert [type(item) for item in found][1:3] == [ImageNotFoundError, NotAnImageError]
    assert isinstance(found[4], NotAnImageError)
    for image, face in ((first, found[0]), (second, found[3])):
        assert not isinstance(face, Exception)
        assert np.abs(face.embedding - crops.encode_photo(image).embedding).max() < 1e-6


def test_photos_are_taken_as_they_are_needed(crops: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays flat: a batch is read, and no more, before its first answer comes."""
    monkeypatch.setattr(module, "BATCH", 4)
    taken: list[int] = []

    def endless() -> Iterator[np.ndarray]:
        while True:
            taken.append(1)
            yield pictures(1)[0]

    answers = crops.encode_photos(endless())
    for _ in range(4):
        next(answers)
    assert len(taken) == 4
    next(answers)
    assert len(taken) == 8


def test_another_choice_is_said_at_once(crops: Recognizer) -> None:
    with pytest.raises(SettingError):
        crops.encode_photos([], "Largest")  # type: ignore[arg-type]


def test_faces_of_photos(photos: Path) -> None:
    recognizer = Recognizer()
    names = ["obama.jpg", "astronaut.png", "grace_hopper.jpg"]
    grey = np.full((300, 300, 3), 128, np.uint8)
    found = list(recognizer.encode_photos([photos / names[0], grey, photos / names[1], photos / names[2]]))
    assert isinstance(found[1], NoFaceError)
    for name, face in zip(names, [found[0], *found[2:]], strict=True):
        assert not isinstance(face, Exception)
        alone = recognizer.encode_photo(photos / name, "centre")
        assert np.abs(face.embedding - alone.embedding).max() < 1e-5
        assert face.box == alone.box

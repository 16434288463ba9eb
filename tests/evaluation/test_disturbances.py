"""Disturbances, against what each one says it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from sameface.evaluation.disturbances import ALL, Disturbance
from sameface.evaluation.disturbed import disturbed_faces, surroundings
from sameface.recognizer import Recognizer
from sameface.types import Box, Detection

KINDS = {kind.name: kind for kind in ALL}
FACE = Detection(Box(40, 30, 140, 130), 1.0)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(noise).resize((200, 150), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_photo_given_stays_as_it_is(kind: Disturbance, photo: np.ndarray) -> None:
    before = photo.copy()
    for strength in kind.strengths:
        made = kind.apply(photo, FACE, strength)
        assert made.dtype == np.uint8
        assert made.ndim == 3
        assert made.shape[2] == 3
        assert made.shape != before.shape or (made != before).any()
    assert (photo == before).all()


def test_strengths_follow_the_face(photo: np.ndarray) -> None:
    blurred = KINDS["blurred"].apply(photo, FACE, 3)  # the face is 100 pixels wide: pixels are pixels
    assert (blurred == np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(3)))).all()
    wide = Detection(Box(0, 0, 200, 150), 1.0)
    blurred = KINDS["blurred"].apply(photo, wide, 3)
    assert (blurred == np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(6)))).all()
    assert KINDS["small"].apply(photo, FACE, 24).shape == (36, 48, 3)


def test_tones_bits_and_covers(photo: np.ndarray) -> None:
    assert set(np.unique(KINDS["one bit"].apply(photo, FACE, 1))) == {0, 255}
    assert set(np.unique(KINDS["posterised"].apply(photo, FACE, 3))) <= {0, 127, 255}
    masked = KINDS["masked"].apply(photo, FACE, 220)
    assert (masked[90:130, 45:135] == 220).all()
    assert (masked[:80] == photo[:80]).all()
    left, right = (KINDS["half cut"].apply(photo, FACE, side) for side in (0, 1))
    assert (np.concatenate([left, right], axis=1) == photo).all()
    assert (KINDS["turned"].apply(photo, FACE, 90) == photo.transpose(1, 0, 2)[::-1]).all()


def test_of_a_large_photo_the_part_around_the_face_is_disturbed_and_of_a_small_one_all() -> None:
    small = np.zeros((400, 500, 3), np.uint8)
    assert surroundings(small, FACE) == (small, FACE)
    # a face of 300 pixels, red, at the left edge of a large photo
    large = np.zeros((2000, 3000, 3), np.uint8)
    large[800:1100, 100:400] = (255, 0, 0)
    part, face = surroundings(large, Detection(Box(100, 800, 400, 1100), 1.0))
    assert max(part.shape) <= 3 * 160
    assert face.box.width == pytest.approx(160, abs=1)
    x1, y1, x2, y2 = (round(edge) for edge in face.box.xyxy)
    assert (part[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3] == (255, 0, 0)).all()
    assert part[: y1 - 3].max() == part[:, x2 + 3 :].max() == 0


def test_photos_side_by_side_give_what_they_give_one_after_another(photos: Path, tmp_path: Path) -> None:
    recognizer = Recognizer(threads=1)
    kinds = [KINDS["blurred"], KINDS["small"]]
    places = [tmp_path / name for name in ("obama.jpg", "biden.jpg", "grace_hopper.jpg")]
    for place in places:
        with Image.open(photos / place.name) as picture:
            picture.thumbnail((400, 400))
            picture.save(place)
    one, three = (
        disturbed_faces(recognizer, places, np.array([0, 1, 2]), kinds=kinds, workers=workers) for workers in (1, 3)
    )
    assert [(part.kind, part.strength, part.photos) for part in one] == [
        (part.kind, part.strength, part.photos) for part in three
    ]
    for first, second in zip(one, three, strict=True):
        assert first.people.tolist() == second.people.tolist()
        np.testing.assert_array_equal(first.embeddings, second.embeddings)

"""The default detector's second look adds faces and leaves those of the first one as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.faces.detector_spec import MtcnnSettings
from sameface.faces.mtcnn import Mtcnn
from sameface.types import ImageRGB

#: Photos of LFW with somebody in profile at the edge, whom one look misses, and where about the middle of that face lies.
PROFILES = {
    "Quin_Snyder_0001": (40, 118),
    "Robbie_Williams_0003": (10, 181),
    "Ruth_Harlow_0002": (27, 167),
}


@pytest.fixture(scope="module")
def once() -> Mtcnn:
    return Mtcnn(MtcnnSettings(second_look=None))


@pytest.fixture(scope="module")
def twice() -> Mtcnn:
    return Mtcnn()


def lfw_photo(data: Path, name: str) -> ImageRGB:
    return np.asarray(Image.open(data / "lfw" / "images" / name[:-5] / f"{name}.jpg").convert("RGB"))


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_found_that_one_look_misses(once: Mtcnn, twice: Mtcnn, data: Path, name: str) -> None:
    image, (x, y) = lfw_photo(data, name), PROFILES[name]

    def holds(detector: Mtcnn) -> list[bool]:
        return [box.x1 < x < box.x2 and box.y1 < y < box.y2 for box in (face.box for face in detector.detect(image))]

    assert not any(holds(once))
    assert sum(holds(twice)) == 1


def test_nothing_that_was_found_moves_or_goes(once: Mtcnn, twice: Mtcnn, data: Path) -> None:
    more = 0
    for name in PROFILES:
        image = lfw_photo(data, name)
        first, second = once.detect(image), twice.detect(image)
        rest = list(second)
        for face in first:
            (same,) = (other for other in rest if other.box == face.box)
            assert same.confidence == face.confidence
            assert same.landmarks is not None
            assert face.landmarks is not None
            assert np.array_equal(same.landmarks.points_xy, face.landmarks.points_xy)
        more += len(second) - len(first)
        confidences = [face.confidence for face in second]
        assert confidences == sorted(confidences, reverse=True)
    assert more >= len(PROFILES)


def test_what_is_added_is_sure_large_enough_and_apart(once: Mtcnn, twice: Mtcnn, data: Path) -> None:
    for name in PROFILES:
        image = lfw_photo(data, name)
        known = {face.box for face in once.detect(image)}
        for face in twice.detect(image):
            if face.box not in known:
                assert face.confidence >= 0.8
                assert face.box.height >= 32
                assert not any(
                    box.x1 < face.box.center_xy[0] < box.x2 and box.y1 < face.box.center_xy[1] < box.y2 for box in known
                )

"""Quality falls with every fault, and names it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from sameface.faces import load_detector
from sameface.faces.quality import judge_face, turned_aside
from sameface.types import Box, Detection, ImageRGB, Landmarks


@pytest.fixture(scope="module")
def face(portraits: dict[str, ImageRGB]) -> tuple[ImageRGB, Detection]:
    image = portraits["obama.jpg"]
    return image, load_detector().detect(image)[0]


def test_a_good_portrait(face: tuple[ImageRGB, Detection]) -> None:
    quality = judge_face(*face)
    assert quality.value > 0.9
    assert quality.reasons == ()


def test_faults(face: tuple[ImageRGB, Detection]) -> None:
    image, detection = face
    blurred = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(25)))
    dark, bright = (image // 12).astype(np.uint8), (255 - (255 - image.astype(int)) // 14).astype(np.uint8)
    flat = (120 + image // 32).astype(np.uint8)
    for worse, word in ((blurred, "blurred"), (dark, "dark"), (bright, "bright"), (flat, "contrast")):
        quality = judge_face(worse, detection)
        assert quality.value < 0.6 * judge_face(image, detection).value
        assert any(word in reason for reason in quality.reasons), (word, quality)


def test_small_faces() -> None:
    quality = judge_face(np.zeros((90, 90, 3), np.uint8), Detection(Box(5, 5, 30, 30), 1.0))
    assert any("too small (25 pixels)" in reason for reason in quality.reasons)
    assert quality.value == 0
    assert quality.turned is None


def test_more_turned_is_worse() -> None:
    front = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)
    turns = []
    for shift in (0, 5, 10, 15, 20, 30):
        points = front.copy()
        points[2, 0] += shift
        turns.append(turned_aside(Landmarks("arcface5", points)))
    assert turns == sorted(turns, key=float)
    assert turns[0] == 0
    assert turns[-1] == 1
    rotation = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    assert turned_aside(Landmarks("arcface5", front @ rotation)) == pytest.approx(0, abs=1e-6)
    assert turned_aside(Landmarks("dlib5", front)) is None


@pytest.mark.parametrize("box", [Box(-50, -50, -10, -10), Box(5, 5, 5, 5), Box(80, 80, 200, 200)])
def test_boxes_outside_do_not_fail(box: Box) -> None:
    assert 0 <= judge_face(np.full((90, 90, 3), 128, np.uint8), Detection(box, 1.0)).value <= 1

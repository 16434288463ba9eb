"""Quarter turns of coordinates, against Pillow's turns of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sameface.faces.turning import into_turned, out_of_turned, scaled, turned
from sameface.types import Box, Detection, Landmarks

PILLOWS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}
WIDTH, HEIGHT = 60, 40
BLOCK = Box(7, 22, 19, 31)


def edges_of(picture: Image.Image) -> tuple[float, ...]:
    return tuple(map(float, picture.getbbox() or ()))


@pytest.fixture
def picture() -> Image.Image:
    """Black with one white block."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[22:31, 7:19] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_pixels_and_boxes_turn_as_in_pillow(picture: Image.Image, turns: int) -> None:
    theirs = picture.transpose(PILLOWS[turns])
    rgb = np.asarray(picture.convert("RGB"))
    assert np.array_equal(turned(rgb, turns), np.asarray(theirs.convert("RGB")))
    found = Detection(Box(*edges_of(theirs)), 0.9)
    back = out_of_turned(found, turns, (WIDTH, HEIGHT))
    assert back.box.xyxy == BLOCK.xyxy
    assert (back.turns, back.confidence, back.landmarks) == (turns, 0.9, None)
    assert into_turned(back, (WIDTH, HEIGHT)).box.xyxy == found.box.xyxy


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_points_keep_their_order_and_come_back(turns: int) -> None:
    points = Landmarks("arcface5", np.array([[8, 25], [17, 24], [12, 27], [9, 30], [16, 29.5]], dtype=np.float32))
    there = Detection(BLOCK, 0.5, points)
    back = out_of_turned(there, turns, (WIDTH, HEIGHT))
    assert back.landmarks is not None
    assert back.landmarks.scheme == "arcface5"
    again = into_turned(back, (WIDTH, HEIGHT))
    assert again.landmarks is not None
    assert again.landmarks.points_xy == pytest.approx(points.points_xy, abs=1e-4)
    assert again.box.xyxy == pytest.approx(BLOCK.xyxy)
    assert again.turns == 0


def test_the_left_eye_of_a_face_on_its_side_by_hand() -> None:
    """A photo 60 wide and 40 high, turned once counterclockwise, is 40 wide: what lies at (5, 10) there lay at (50, 5)."""
    found = Detection(Box(0, 0, 9, 12), 1.0, Landmarks("arcface5", np.array([[5, 10]], dtype=np.float32)))
    back = out_of_turned(found, 1, (WIDTH, HEIGHT))
    assert back.landmarks is not None
    assert back.landmarks.points_xy.tolist() == [[50, 5]]
    assert back.box.xyxy == (48, 0, 60, 9)


def test_scaled() -> None:
    face = Detection(BLOCK, 0.9, Landmarks("arcface5", np.array([[8, 25]], dtype=np.float32)), 2)
    larger = scaled(face, 2, 3)
    assert larger.box.xyxy == (14, 66, 38, 93)
    assert larger.landmarks is not None
    assert larger.landmarks.points_xy.tolist() == [[16, 75]]
    assert larger.turns == 2

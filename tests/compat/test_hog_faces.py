"""Boxes and order of dlib's detector, guessed from MTCNN's faces, against dlib itself."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sameface.compat.hog_faces import hog_box, in_hog_order, on_grid
from sameface.errors import SettingError
from sameface.faces import load_detector
from sameface.types import Box, Detection, Landmarks

dlib = pytest.importorskip("dlib")

UPRIGHT = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], dtype=np.float32)


@pytest.fixture(scope="module")
def detect():
    """Read from dlib's library once: that takes longer than to find the faces of a small picture."""
    return dlib.get_frontal_face_detector()


def face(x: float, y: float, size: float = 1.0, tilt: float = 0.0) -> Detection:
    """A face of 100 × 120 pixels times `size`, its middle at x, y, tilted by so many radians."""
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    points = ((UPRIGHT - 50) @ turn.T * size + [x, y]).astype(np.float32)
    half = np.array([50, 60]) * size
    return Detection(Box(x - half[0], y - half[1], x + half[0], y + half[1]), 1.0, Landmarks("arcface5", points))


@pytest.mark.parametrize("upsample", [0, 1, 2])
@pytest.mark.parametrize("name", ["obama.jpg", "grace_hopper.jpg"])
def test_dlibs_own_boxes_lie_on_the_grid(photos, detect, name, upsample):
    whole = Image.open(photos / name).convert("RGB")
    seen = 0
    for side in (150, 210) if upsample == 2 else (150, 210, 260):  # dlib's time grows with four to the power of it
        picture = np.array(whole.resize((side, round(side * whole.height / whole.width)), Image.Resampling.BICUBIC))
        for found in detect(picture, upsample):
            theirs = (found.left(), found.top(), found.right(), found.bottom())
            x, y = (theirs[0] + theirs[2]) / 2, (theirs[1] + theirs[3]) / 2
            ours = on_grid(x, y, found.bottom() - found.top(), upsample)
            assert np.abs(np.subtract(ours.xyxy, theirs)).max() <= 1
            seen += 1
    assert seen or upsample == 0  # some faces are too small without upsampling


@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg", "grace_hopper.jpg", "obama3.jpg"])
def test_the_guess_is_near_dlibs_box(photos, detect, name):
    whole = Image.open(photos / name).convert("RGB")
    picture = np.array(whole.resize((400, round(400 * whole.height / whole.width)), Image.Resampling.BICUBIC))
    (theirs,) = detect(picture, 1)
    (ours,) = (hog_box(found, 1) for found in load_detector("mtcnn").detect(picture))
    edges = (theirs.left(), theirs.top(), theirs.right(), theirs.bottom())
    assert np.abs(np.subtract(ours.xyxy, edges)).max() < 0.25 * (theirs.bottom() - theirs.top())


def test_a_box_is_whole_pixels_and_follows_its_face():
    box, moved = hog_box(face(200, 200), 1), hog_box(face(300, 200), 1)
    assert all(edge == int(edge) for edge in box.xyxy)
    assert abs(box.width - moved.width) <= 1  # each edge is rounded by itself, as dlib does
    assert 85 <= moved.x1 - box.x1 <= 115  # a grid step of this size is 12 pixels
    assert hog_box(face(200, 200, size=2), 1).width > 1.6 * box.width


def test_large_upright_and_whole_faces_come_first():
    large, small, tilted, cut = face(200, 200), face(200, 200, 0.6), face(200, 200, tilt=0.6), face(15, 200)
    assert in_hog_order([small, large], 400, 400) == [large, small]
    assert in_hog_order([tilted, large], 400, 400) == [large, tilted]
    assert in_hog_order([cut, large], 400, 400) == [large, cut]
    assert in_hog_order([], 400, 400) == []


def test_other_points_are_refused():
    with pytest.raises(SettingError, match="arcface5"):
        hog_box(Detection(Box(0, 0, 9, 9), 1.0), 1)

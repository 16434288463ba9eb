"""How a face is built: the same wherever it lies, and by least squares as anybody solves them."""

from __future__ import annotations

import numpy as np
import pytest

from sameface.faces.shape import SHAPES, shape_measures
from sameface.faces.templates import template_points
from sameface.faces.turning import out_of_turned, scaled, shifted
from sameface.types import Box, Detection, Landmarks

POINTS = np.array([[40, 52], [75, 50], [60, 74], [42, 90], [70, 95]], np.float32)
FACE = Detection(Box(20, 10, 95, 115), 0.9, Landmarks("arcface5", POINTS))


def shape(detection: Detection) -> np.ndarray:
    found = shape_measures(detection)
    assert found is not None
    assert found.shape == (SHAPES,)
    return found


def test_what_is_left_is_what_least_squares_leave() -> None:
    rows, wanted = [], []
    for (x, y), (u, v) in zip(POINTS.tolist(), template_points("arcface-112", 1).tolist(), strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]  # (a + bi)(x + yi) + (c + di)
        wanted += [u, v]
    terms, *_ = np.linalg.lstsq(np.array(rows, float), np.array(wanted), rcond=None)
    left = (np.array(rows, float) @ terms - wanted).reshape(5, 2)
    assert shape(FACE)[:10] == pytest.approx(left.T.ravel(), abs=1e-9)


def test_places_in_the_box_by_hand() -> None:
    assert shape(FACE)[10:15] == pytest.approx((POINTS[:, 0] - 20) / 75)
    assert shape(FACE)[15:20] == pytest.approx((POINTS[:, 1] - 10) / 105)
    assert shape(FACE)[20] == pytest.approx(np.log(75 / 105))


def test_it_is_the_same_at_any_place_and_size() -> None:
    assert shape(scaled(shifted(FACE, 33, -7), 2.5, 2.5)) == pytest.approx(shape(FACE), abs=1e-5)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_it_is_the_same_for_a_face_that_lies(turns: int) -> None:
    assert shape(out_of_turned(FACE, turns, (300, 200))) == pytest.approx(shape(FACE), abs=1e-5)


def test_a_squeezed_face_is_another() -> None:
    assert abs(shape(scaled(FACE, 0.5, 1.0)) - shape(FACE)).max() > 0.05


def test_without_five_such_points_nothing_is_said() -> None:
    assert shape_measures(Detection(FACE.box, 0.9)) is None
    assert shape_measures(Detection(FACE.box, 0.9, Landmarks("dlib5", POINTS))) is None
    alike = Landmarks("arcface5", np.full((5, 2), 50, np.float32))
    assert np.isfinite(shape(Detection(Box(50, 50, 50, 50), 0.9, alike))).all()

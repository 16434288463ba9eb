"""Similarities and what a crop can touch, beside arithmetic on matrices."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sameface.faces.warp import Similarity, crop_as_opencv, crop_by, fit_similarity, halve, reach_of


def as_matrix(similarity: Similarity) -> np.ndarray:
    """The same as a 2 × 3 matrix."""
    a, b = similarity.factor.real, similarity.factor.imag
    return np.array([[a, -b, similarity.shift.real], [b, a, similarity.shift.imag]])


@settings(deadline=None, max_examples=50)
@given(st.floats(0.1, 20), st.floats(-math.pi, math.pi), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_again(scale: float, angle: float, x: float, y: float) -> None:
    true = Similarity(cmath.rect(scale, angle), complex(x, y))
    points = np.random.default_rng(0).uniform(0, 100, (5, 2))
    moved = (as_matrix(true) @ np.c_[points, np.ones(5)].T).T
    found = fit_similarity(points, moved)
    assert abs(found.factor - true.factor) < 1e-9 * scale
    assert abs(found.shift - true.shift) < 1e-7


def test_of_points_that_do_not_fit_it_is_the_nearest() -> None:
    """No similarity mirrors: of a mirrored square the best is the one whose neighbours are all worse."""
    points = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 2]])
    target = points * (-1, 1) + (0.3, 0)

    def error(similarity: Similarity) -> float:
        moved = (as_matrix(similarity) @ np.c_[points, np.ones(4)].T).T
        return float(((moved - target) ** 2).sum())

    best = fit_similarity(points, target)
    for step in (1e-3, -1e-3, 1e-3j, -1e-3j):
        assert error(best) < error(Similarity(best.factor + step, best.shift))
        assert error(best) < error(Similarity(best.factor, best.shift + step))


def test_points_that_are_one_point() -> None:
    found = fit_similarity(np.zeros((3, 2)), np.full((3, 2), 7.0))
    assert (found.factor, found.shift) == (1, 7 + 7j)


def test_an_upright_square_is_cut_out_as_it_is() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    crop = crop_as_opencv(picture, Similarity(1 + 0j, 12 + 7j), 20)
    np.testing.assert_array_equal(crop, picture[7:27, 12:32])


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_quarter_turn_is_a_quarter_turn(quarter: int) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    middle = 30 + 25j
    factor = complex(0, 1) ** quarter
    crop = crop_as_opencv(picture, Similarity(factor, middle - factor * complex(5, 5)), 11)
    straight = picture[20:31, 25:36]
    np.testing.assert_array_equal(crop, np.rot90(straight, quarter))


@pytest.mark.parametrize("bad", [complex(math.nan, 0), complex(math.inf, 0)])
def test_what_is_nowhere_is_black(bad: complex) -> None:
    picture = np.full((40, 40, 3), 200, np.uint8)
    assert reach_of(Similarity(1 + 0j, bad), 10) is None
    for crop in (crop_by, crop_as_opencv):
        assert crop(picture, Similarity(1 + 0j, bad), 10).tolist() == np.zeros((10, 10, 3)).tolist()
        assert not crop(picture, Similarity(1 + 0j, 5000 + 5000j), 10).any()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.3, 6), st.floats(-math.pi, math.pi))
def test_pixels_out_of_reach_change_nothing(seed: int, scale: float, angle: float) -> None:
    """The promise that lets large photos be decoded in part."""
    draw = np.random.default_rng(seed)
    picture = draw.integers(0, 256, (90, 90, 3), dtype=np.uint8)
    similarity = Similarity(cmath.rect(scale, angle), complex(*draw.uniform(0, 90, 2)))
    reach = reach_of(similarity, 8)
    assert reach is not None
    other = draw.integers(0, 256, picture.shape, dtype=np.uint8)
    left, top = (max(0, math.floor(edge)) for edge in (reach.x1, reach.y1))
    right, bottom = (max(0, math.ceil(edge)) for edge in (reach.x2, reach.y2))
    other[top:bottom, left:right] = picture[top:bottom, left:right]
    np.testing.assert_array_equal(crop_as_opencv(picture, similarity, 8), crop_as_opencv(other, similarity, 8))


def test_a_flat_picture_stays_flat_when_it_is_halved() -> None:
    for level in (0, 1, 127, 255):
        assert set(halve(np.full((40, 31, 3), level, np.uint8)).ravel().tolist()) == {level}
    assert halve(np.zeros((8, 100, 3), np.uint8)).shape == (0, 0, 3)
    assert halve(np.zeros((9, 100, 3), np.uint8)).shape == (3, 48, 3)

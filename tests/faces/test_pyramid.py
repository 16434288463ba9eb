"""The sheet of scales: nothing overlaps, and crops come from the right place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sameface.faces.pyramid import Pyramid
from sameface.types import ImageRGB


@settings(deadline=None, max_examples=60)
@given(st.integers(12, 300), st.integers(12, 300), st.floats(0.05, 1.0))
def test_levels_lie_apart_at_even_places(width: int, height: int, scale: float) -> None:
    pyramid = Pyramid(Image.new("RGB", (width, height), (255, 255, 255)), max(scale, 12 / min(width, height)), 12)
    used = np.zeros((1200, 320), np.int8)
    for level in pyramid.levels:
        used[level.top : level.top + level.height, level.left : level.left + level.width] += 1
    assert used.max() == 1
    for level in pyramid.searched:
        assert level.left % 2 == level.top % 2 == 0
        assert level.left + level.width <= pyramid.area_wh[0]
        assert level.top + level.height <= pyramid.area_wh[1]
    assert pyramid.area().shape == (1, pyramid.area_wh[1], pyramid.area_wh[0], 3)


def test_levels_shrink_by_half_in_area(portraits: dict[str, ImageRGB]) -> None:
    pyramid = Pyramid(Image.fromarray(portraits["astronaut.png"]), 0.375, 12)
    areas = [level.width * level.height for level in pyramid.levels]
    assert all(0.42 < b / a < 0.6 for a, b in pairwise(areas))
    assert min(pyramid.levels[-1].width, pyramid.levels[-1].height) >= 12


@pytest.mark.parametrize(
    "square", [(100, 60, 300, 260), (10.3, 20.7, 50.1, 60.5), (-40, -20, 100, 120), (450, 450, 600, 600)]
)
def test_crops_are_what_pillow_cuts(portraits: dict[str, ImageRGB], square: tuple[float, float, float, float]) -> None:
    image = Image.fromarray(portraits["astronaut.png"])
    crop = Pyramid(image, 0.375, 12).crops(np.array([square], np.float32), 24)[0]
    left, top = np.floor(square[:2]).astype(int)
    right, bottom = np.ceil(square[2:]).astype(int)
    part = image.crop((left, top, right, bottom))
    expected = part.resize(
        (24, 24), Image.Resampling.BILINEAR, (square[0] - left, square[1] - top, square[2] - left, square[3] - top)
    )
    # Another filter, so alike, not equal.
    assert np.abs(crop.astype(int) - np.asarray(expected)).mean() < 9


def test_black_outside() -> None:
    crop = Pyramid(Image.new("RGB", (64, 64), (200, 100, 50)), 0.5, 12).crops(
        np.array([[-32, 0, 32, 64]], np.float32), 24
    )
    assert (crop[0, :, :11] == 0).all()
    assert (crop[0, :, 12:] == (200, 100, 50)).all()

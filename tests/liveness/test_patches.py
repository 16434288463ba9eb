"""What the passive networks are shown, beside OpenCV."""

from __future__ import annotations

import numpy as np
import pytest

from sameface.liveness.patches import patch_of
from sameface.types import Box

cv2 = pytest.importorskip("cv2")


def published(image: np.ndarray, box: Box, scale: float, side: int) -> np.ndarray:
    """The publisher's crop, in its own steps: limit the scale, push the corners back inside, cut, resize."""
    height, width = image.shape[:2]
    scale = min((height - 1) / box.height, min((width - 1) / box.width, scale))
    wide, high = box.width * scale, box.height * scale
    x, y = box.center_xy
    left, top, right, bottom = x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
    if left < 0:
        right, left = right - left, 0
    if top < 0:
        bottom, top = bottom - top, 0
    if right > width - 1:
        left, right = left - (right - width + 1), width - 1
    if bottom > height - 1:
        top, bottom = top - (bottom - height + 1), height - 1
    return cv2.resize(image[int(top) : int(bottom) + 1, int(left) : int(right) + 1], (side, side))


@pytest.mark.parametrize(
    "box",
    [
        Box(90, 80, 150, 160),
        Box(0, 0, 60, 70),
        Box(170, 190, 239, 255),
        Box(100.5, 90.25, 130.75, 131.5),
        Box(-9, 20, 200, 250),
    ],
    ids=["middle", "corner", "other corner", "fractions", "larger than the photo"],
)
@pytest.mark.parametrize("scale", [2.7, 4.0])
def test_patches_are_cut_and_scaled_as_in_training(box: Box, scale: float) -> None:
    image = np.random.default_rng(2).integers(0, 256, (260, 240, 3), dtype=np.uint8)
    apart = patch_of(image, box, scale, 80).astype(int) - published(image, box, scale, 80)
    assert abs(apart).max() <= 1  # OpenCV computes in fixed point


def test_a_patch_of_almost_nothing() -> None:
    assert patch_of(np.zeros((1, 1, 3), np.uint8), Box(0, 0, 0, 0), 2.7, 80).shape == (80, 80, 3)

"""Points that are found again by the picture, where a detector only nearly has them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from sameface.liveness.first_view import FirstView

POINTS = np.array([[120.0, 120], [180, 120], [150, 155], [128, 190], [172, 190]])


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 4)


@pytest.mark.parametrize(
    "affine",
    [
        [[1, 0, 4.5], [0, 1, -3.25]],
        [[0.8, 0.1, 30], [-0.1, 0.9, 20]],
        [[1.3, 0, -40], [0, 1.3, -50]],
        [[0.7, 0, 40], [0, 1, 0]],
    ],
    ids=["moved", "turned", "nearer", "narrower"],
)
def test_points_are_found_to_a_part_of_a_pixel(picture, affine):
    affine = np.array(affine, float)
    later = cv2.warpAffine(picture, affine, (300, 300))
    expected = POINTS @ affine[:, :2].T + affine[:, 2]
    rough = expected + np.random.default_rng(1).normal(0, 2.5, (5, 2))
    found = FirstView.of(picture, POINTS).find(later, rough)
    assert np.abs(found.points_xy - expected).max() < 0.7
    assert found.likeness > 0.8


def test_another_picture_is_not_alike(picture):
    other = cv2.GaussianBlur(np.random.default_rng(9).integers(0, 255, (300, 300, 3), dtype=np.uint8), (0, 0), 4)
    assert FirstView.of(picture, POINTS).find(other, POINTS).likeness < 0.7


def test_a_face_at_the_rim_and_a_picture_of_nothing():
    blank = np.zeros((40, 40, 3), np.uint8)
    found = FirstView.of(blank, POINTS).find(np.asarray(Image.new("RGB", (10, 10))), POINTS)
    assert np.isfinite(found.points_xy).all()

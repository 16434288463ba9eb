"""Landmarks by a cascade of regression trees: dlib's 5- and 68-point predictors, in NumPy, to the last point the same.

Source: Kazemi and Sullivan 2014, "One millisecond face alignment with an ensemble of regression trees"; the order of
the arithmetic follows dlib's results, point by point (see tests/faces/test_shape_predictor.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sameface.models.dlib_shape_predictor import ShapePredictorArrays, load_shape_predictor
from sameface.types import Box, ImageRGB, Landmarks

_DEPTH = 4


class ShapePredictor:
    """Finds the points of faces whose boxes are known. Safe to use from several threads at once.

    Args:
        scheme: ``dlib5`` (the four eye corners and the base of the nose) or ``dlib68``.
        arrays: the parameters, for a predictor of one's own; None loads the published ones.

    Raises:
        ModelMissingError, ModelDamagedError: the weights are not there, or not whole.
    """

    def __init__(self, scheme: str = "dlib5", arrays: ShapePredictorArrays | None = None) -> None:
        self.scheme = scheme
        self._arrays = a = arrays if arrays is not None else load_shape_predictor(scheme)
        cascades, trees, splits = a.thresholds.shape
        self._first = a.pairs[..., 0].reshape(cascades, -1).astype(np.intp)
        self._second = a.pairs[..., 1].reshape(cascades, -1).astype(np.intp)
        self._thresholds = a.thresholds.reshape(cascades, -1)
        self._leaves = a.leaves.reshape(cascades, trees * (splits + 1), -1)
        self._anchors = a.anchors.astype(np.intp)
        self._tree_of_split = np.arange(trees) * splits
        self._tree_of_leaf = np.arange(trees) * (splits + 1) - splits

    def predict(self, image_rgb: ImageRGB, boxes: Sequence[Box]) -> list[Landmarks]:
        """The points of each face.

        Args:
            image_rgb: ``(h, w, 3)`` uint8 RGB.
            boxes: where dlib's own detectors would put the face: corners are pixels, both inside the box
                (``x2 − x1`` is dlib's width less one). Rounded to whole pixels.

        Returns:
            One for each box, in order: whole pixels as float32, as dlib gives them.
        """
        if not boxes:
            return []
        corners = np.floor(np.array([box.xyxy for box in boxes], dtype=np.float64) + 0.5)
        origin, size = corners[:, None, :2], corners[:, None, 2:] - corners[:, None, :2]
        initial = self._arrays.initial_shape
        shapes = np.repeat(initial[None], len(boxes), axis=0)
        grey = _Grey(image_rgb)
        for cascade in range(self._first.shape[0]):
            turn = _similarity(initial, shapes).astype(np.float32)
            x, y = self._arrays.deltas[cascade].T
            anchors = shapes[:, self._anchors[cascade]]
            # dlib multiplies, adds, then adds the anchor, in float32; the map to pixels is in double.
            step_x = turn[:, 0, :1] * x + turn[:, 0, 1:] * y + anchors[..., 0]
            step_y = turn[:, 1, :1] * x + turn[:, 1, 1:] * y + anchors[..., 1]
            pixels = grey.at(
                np.floor(step_x * size[..., 0] + origin[..., 0] + 0.5),
                np.floor(step_y * size[..., 1] + origin[..., 1] + 0.5),
            )
            for face, values in enumerate(pixels):
                turns = (
                    values.take(self._first[cascade]) - values.take(self._second[cascade]) <= self._thresholds[cascade]
                )
                node = turns.take(self._tree_of_split) + 1
                for _ in range(_DEPTH - 1):
                    node += node + 1 + turns.take(self._tree_of_split + node)
                # One leaf after another onto the shape, in float32: summing the leaves first would move points. Along
                # the first axis NumPy adds row after row (only along the last does it add in pairs).
                steps = np.empty((len(node) + 1, initial.size), dtype=np.float32)
                steps[0] = shapes[face].reshape(-1)
                self._leaves[cascade].take(self._tree_of_leaf + node, axis=0, out=steps[1:], mode="clip")
                shapes[face] = np.add.reduce(steps, axis=0).reshape(-1, 2)
        points = np.floor(shapes * size + origin + 0.5).astype(np.float32)
        return [Landmarks(self.scheme, face) for face in points]


class _Grey:
    """Pixel intensities, 0 outside the picture; computed only where they are asked for."""

    def __init__(self, image_rgb: ImageRGB) -> None:
        self._height, self._width = image_rgb.shape[:2]
        self._flat = image_rgb.reshape(-1, 3)

    def at(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        inside = (x >= 0) & (x < self._width) & (y >= 0) & (y < self._height)
        values = np.zeros(x.shape, dtype=np.float32)
        if inside.any():
            index = (y[inside] * self._width + x[inside]).astype(np.intp)
            values[inside] = self._flat[index].sum(axis=1, dtype=np.uint16) // 3
        return values


def _similarity(start: npt.NDArray[np.float32], shapes: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Rotation times scale that takes one shape best to each of others, ``(m, 2, 2)``: least squares, no mirror."""
    p = start.astype(np.float64)
    p -= p.mean(axis=0)
    q = shapes.astype(np.float64)
    q -= q.mean(axis=1, keepdims=True)
    length = (p * p).sum()
    a = (q * p).sum(axis=(1, 2)) / length
    b = (q[:, :, 1] * p[:, 0] - q[:, :, 0] * p[:, 1]).sum(axis=1) / length
    return np.stack([np.stack([a, -b], axis=-1), np.stack([b, a], axis=-1)], axis=-2)

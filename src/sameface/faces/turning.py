"""Quarter turns: of pictures, and of what was found in them.

Turns count counterclockwise, as `numpy.rot90` does: a face with ``turns`` 1 stands upright once its photo is turned so once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sameface.types import Box, Detection, ImageRGB, Landmarks

Points = npt.NDArray[np.float64]


def turned(image_rgb: ImageRGB, turns: int) -> ImageRGB:
    """A picture turned by that many quarters; contiguous.

    >>> turned(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), 1)[:, 0].tolist()
    [[3, 4, 5], [0, 1, 2]]
    """
    return np.ascontiguousarray(np.rot90(image_rgb, turns)) if turns % 4 else image_rgb


def into_turned(detection: Detection, size_wh: tuple[int, int]) -> Detection:
    """A face of a photo as it lies in the photo turned by the face's own turns, upright.

    Args:
        detection: in the photo.
        size_wh: of the photo.
    """
    return _moved(detection, detection.turns, size_wh, 0)


def out_of_turned(detection: Detection, turns: int, size_wh: tuple[int, int]) -> Detection:
    """A face that was found in a turned photo, as it lies in the photo.

    Args:
        detection: in the photo turned by `turns`.
        turns: of the photo.
        size_wh: of the photo as it was before.
    """
    width, height = size_wh
    return _moved(detection, -turns, (height, width) if turns % 2 else size_wh, turns % 4)


def shifted(detection: Detection, right: float, down: float) -> Detection:
    """A face as it lies in a photo whose corner is moved by so many pixels."""
    box, points = detection.box, detection.landmarks
    if points is not None:
        points = Landmarks(points.scheme, points.points_xy + np.array([right, down], dtype=np.float32))
    return replace(detection, box=Box(box.x1 + right, box.y1 + down, box.x2 + right, box.y2 + down), landmarks=points)


def scaled(detection: Detection, across: float, down: float) -> Detection:
    """A face as it lies in the same photo at another size."""
    box, points = detection.box, detection.landmarks
    if points is not None:
        points = Landmarks(points.scheme, points.points_xy * np.array([across, down], dtype=np.float32))
    return replace(detection, box=Box(box.x1 * across, box.y1 * down, box.x2 * across, box.y2 * down), landmarks=points)


def _moved(detection: Detection, turns: int, size_wh: tuple[int, int], left: int) -> Detection:
    turns %= 4
    if not turns:
        return replace(detection, turns=left)
    box, points = detection.box, detection.landmarks
    corners = _turn(np.array([[box.x1, box.y1], [box.x2, box.y2]], dtype=np.float64), turns, size_wh)
    (x1, y1), (x2, y2) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    if points is not None:
        moved = _turn(points.points_xy.astype(np.float64), turns, size_wh)
        points = Landmarks(points.scheme, moved.astype(np.float32))
    return Detection(Box(x1, y1, x2, y2), detection.confidence, points, left)


def _turn(points_xy: Points, turns: int, size_wh: tuple[int, int]) -> Points:
    """Positions after that many quarter turns of their picture; its corners stay its corners."""
    width, height = size_wh
    x, y = points_xy[:, 0], points_xy[:, 1]
    return np.stack([(x, y), (y, width - x), (width - x, height - y), (height - y, x)][turns], axis=1)

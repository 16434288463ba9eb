"""The box that dlib's landmark predictor starts from, out of what a detector found."""

from __future__ import annotations

from sameface.types import Box, Detection


def dlib_box(detection: Detection) -> Box:
    """A square where dlib's own detectors would put it: 0.9 of the longer side, moved down by 6 % of the height.

    >>> dlib_box(Detection(Box(0, 0, 80, 100), 1.0)).xyxy
    (-5.0, 11.0, 85.0, 101.0)
    """
    x, y = detection.box.center_xy
    half = 0.45 * max(detection.box.width, detection.box.height)
    y += 0.06 * detection.box.height
    return Box(x - half, y - half, x + half, y + half)

"""Where dlib's HOG detector would put its box around a face that MTCNN found, and which face it would name first.

dlib's detector slides one window over a pyramid of the upsampled picture, so its boxes are squares of few sizes on a grid of few places. The
place is guessed from the five points and then set onto that grid. Guess and order were fitted on 5,439 faces of LFW's `peopleDevTrain` and
checked on other people (docs/benchmarks.md, "Compatibility with face_recognition").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import SettingError
from sameface.types import Box, Detection

#: Side of the box in the detector's window, pixels between windows, and what each level of the pyramid is smaller than the one before.
_SIDE, _STEP, _LEVEL = 72, 8, 1.2
#: Where the grid begins, on the finest level. Source: read off 5,451 boxes of dlib 20.0; 98.9 % of them lie on this grid, the others are windows
#: for tilted heads.
_FIRST, _PER_LEVEL = 5.0, 1.5
#: How far doubling a picture moves its pixels, x and y, in pixels of the picture.
_DOUBLING: Final = (1.25, 0.75)

# Fitted: the centre of dlib's box from the mean of the five points, and its side, in units of the points' spread around that mean.
_X_CONSTANT, _X_EYES, _X_NOSE = -0.156, 0.315, -0.123
_Y_CONSTANT, _Y_EYES, _Y_NOSE = 0.521, 0.753, 0.182
_SIDE_PER_SPREAD: Final = 3.75
# Fitted: what costs a face its place in the order, against the logarithm of its size.
_TILT_COST, _CUT_COST = 1.5, 3.0


def hog_box(detection: Detection, upsample: int) -> Box:
    """The box of dlib's detector, on its grid; whole pixels, and like dlib's it may reach outside the picture.

    Args:
        detection: with ``arcface5`` points.
        upsample: how often the picture is doubled before the search.

    Raises:
        SettingError: a detection without such points.
    """
    points = _points(detection)
    middle = points.mean(axis=0)
    spread = _spread(points)
    eyes, nose = (points[:2].mean(axis=0) - middle) / spread, (points[2] - middle) / spread
    x = middle[0] + spread * (_X_CONSTANT + _X_EYES * eyes[0] + _X_NOSE * nose[0])
    y = middle[1] + spread * (_Y_CONSTANT + _Y_EYES * eyes[1] + _Y_NOSE * nose[1])
    return on_grid(float(x), float(y), float(_SIDE_PER_SPREAD * spread), upsample)


def on_grid(x: float, y: float, side: float, upsample: int) -> Box:
    """The box of dlib's grid that is nearest to a square of that centre and side.

    >>> on_grid(100.0, 100.0, 110.0, 1).xyxy
    (44.0, 44.0, 151.0, 152.0)
    """
    upsample = max(0, upsample)
    larger = 2.0**upsample
    level = max(0, round(math.log(side * larger / _SIDE, _LEVEL)))
    scale = _LEVEL**level
    corners = []
    for centre, moved in zip((x, y), _DOUBLING, strict=True):
        offset = moved * (2 - 2 / larger)  # of all doublings, in pixels of the picture
        wanted = (centre - side_of(level, larger) / 2 + offset) * larger
        cell = round(((wanted + _PER_LEVEL) / scale - _FIRST - _PER_LEVEL) / _STEP)
        corners.append(((_STEP * cell + _FIRST + _PER_LEVEL) * scale - _PER_LEVEL) / larger - offset)
    left, top = corners
    side = side_of(level, larger)
    return Box(float(round(left)), float(round(top)), float(round(left + side)), float(round(top + side)))


def side_of(level: int, larger: float) -> float:
    """Pixels of a box of that level of the pyramid, in a picture that was searched `larger` times as large."""
    return float(_SIDE * _LEVEL**level / larger)


def in_hog_order(detections: Sequence[Detection], width: int, height: int) -> list[Detection]:
    """The faces as dlib would order them, surest first: large, upright, and whole in the picture."""

    def rank(detection: Detection) -> float:
        points = _points(detection)
        right = points[1] - points[0]
        box = detection.box
        room = min(box.x1, box.y1, width - box.x2, height - box.y2) / max(box.height, 1.0)
        tilt = abs(math.atan2(float(right[1]), float(right[0])))
        return math.log(_spread(points)) - _TILT_COST * tilt + _CUT_COST * min(room, 0.0)

    return sorted(detections, key=rank, reverse=True)


def _points(detection: Detection) -> npt.NDArray[np.float64]:
    if detection.landmarks is None or detection.landmarks.scheme != "arcface5":
        raise SettingError(
            expected="a detector that gives pupils, nose and corners of the mouth (arcface5)",
            got="no such points",
            advice="use the detector mtcnn",
        )
    return detection.landmarks.points_xy.astype(np.float64)


def _spread(points: npt.NDArray[np.float64]) -> float:
    """Root mean square distance of the points from their mean; 1 pixel at least."""
    return max(1.0, float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())))

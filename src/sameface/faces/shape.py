"""How a face is built as its detector sees it: where its five points lie against those of a usual face, and in their box.

Photos that are bulged, swirled or stretched show sharp, well lit faces whose points lie elsewhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.faces.templates import template_points
from sameface.faces.warp import fit_similarity
from sameface.types import Detection

#: How many numbers `shape_measures` gives.
SHAPES: Final = 21
_USUAL: Final = template_points("arcface-112", 1)


def shape_measures(detection: Detection) -> npt.NDArray[np.float64] | None:
    """Where the points lie, whatever the face's size and place.

    Args:
        detection: with five points ``arcface5``.

    Returns:
        ``(21,)`` float64: five x and five y of what is left between the points and the ArcFace template, in sides of its crop, after the
        similarity that fits best; five x and five y in the box, 0 at its left and upper edge and 1 at the others; the logarithm of its
        width over its height. None where the detector gives no such points.

    >>> from sameface.types import Box, Landmarks
    >>> points = template_points("arcface-112", 200) + (30, 40)
    >>> usual = shape_measures(Detection(Box(30, 40, 230, 240), 0.9, Landmarks("arcface5", points)))
    >>> bool(abs(usual[:10]).max() < 1e-6), usual[[10, 15, 20]].round(3).tolist()
    (True, [0.342, 0.462, 0.0])
    """
    if detection.landmarks is None or detection.landmarks.scheme != "arcface5":
        return None
    points, box = detection.landmarks.points_xy.astype(np.float64), detection.box
    fitted = fit_similarity(points, _USUAL)
    places = points[:, 0] + 1j * points[:, 1]
    left = fitted.factor * places + fitted.shift - (_USUAL[:, 0] + 1j * _USUAL[:, 1])
    # A face that lies on its side is looked at upright, as its crop is.
    quarter = 1j ** (round(float(np.angle(fitted.factor)) / (np.pi / 2)) % 4)
    places = places * quarter
    corners = np.array([complex(box.x1, box.y1), complex(box.x2, box.y2)]) * quarter
    width, height = max(float(np.ptp(corners.real)), 1e-6), max(float(np.ptp(corners.imag)), 1e-6)
    across, down = (places.real - corners.real.min()) / width, (places.imag - corners.imag.min()) / height
    return np.concatenate([left.real, left.imag, across, down, [np.log(width / height)]])

"""What five points tell about how a face moved, and whether it has depth.

The points are the eyes, the tip of the nose and the corners of the mouth (``arcface5``). A flat picture, however it is held, is seen through a
homography: the four outer points fix it, and it says where the tip of the nose must be. A nose stands out of the plane of eyes and mouth, so on a
head that turns it leaves that place: to the side by the sine of the turn, times its depth. This parallax is what a turn is measured by here, so that
turning a picture is no turn.

Source: plane plus parallax, as in Irani, Anandan 1996, "Parallax geometry of pairs of points for 3D scene analysis".
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_OUTER: Final = (0, 1, 3, 4)
_NOSE: Final = 2


class Motion(NamedTuple):
    """A face beside its own first, frontal view.

    Attributes:
        right, down: how far the nose left its place in the plane of eyes and mouth, along the face's own axes, in eye distances of a view
            from the front; a head that turns to its own left has ``right`` above 0.
        larger: size beside the first view; 1.2 is a fifth larger.
        narrower, shorter: widths and heights beside the first view, after `larger`: 1, or less where the face is turned away.
    """

    right: float
    down: float
    larger: float
    narrower: float
    shorter: float

    @property
    def parallax(self) -> float:
        """Length of (right, down)."""
        return float(np.hypot(self.right, self.down))


def motion(first_xy: npt.NDArray[np.floating], now_xy: npt.NDArray[np.floating]) -> Motion:
    """How a face moved since its first view.

    Args:
        first_xy, now_xy: ``(5, 2)`` pixels, in the order of ``arcface5``.

    >>> first = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0], [0.0, 2.0], [2.0, 2.0]])
    >>> nearer = motion(first, 1.5 * first + 7)
    >>> round(nearer.larger, 3), round(nearer.parallax, 3)
    (1.5, 0.0)
    """
    first, now = np.asarray(first_xy, np.float64), np.asarray(now_xy, np.float64)
    wide, high = _width(now) / _width(first), _height(now) / _height(first)
    larger = max(wide, high)
    across = _along_eyes(now)
    down = np.array([-across[1], across[0]])
    moved = (now[_NOSE] - _through(_homography(first[list(_OUTER)], now[list(_OUTER)]), first[_NOSE])) / (
        larger * max(1e-6, float(np.hypot(*(first[1] - first[0]))))
    )
    return Motion(float(moved @ across), float(moved @ down), larger, wide / larger, high / larger)


def sideways_of(points_xy: npt.NDArray[np.floating]) -> float:
    """How far the nose lies beside the middle of eyes and mouth, in eye distances; 0 for a face from the front.

    >>> sideways_of(np.array([[0.0, 0.0], [2.0, 0.0], [1.5, 1.0], [0.0, 2.0], [2.0, 2.0]]))
    0.25
    """
    points = np.asarray(points_xy, np.float64)
    beside = points[_NOSE] - points[list(_OUTER)].mean(0)
    return float(beside @ _along_eyes(points)) / max(1e-6, float(np.hypot(*(points[1] - points[0]))))


def _width(points: Floats) -> float:
    """Mean of the distances between the eyes and between the corners of the mouth."""
    return max(1e-6, float(np.hypot(*(points[1] - points[0])) + np.hypot(*(points[4] - points[3]))) / 2)


def _height(points: Floats) -> float:
    """From the middle of the eyes to the middle of the mouth."""
    return max(1e-6, float(np.hypot(*((points[3] + points[4]) / 2 - (points[0] + points[1]) / 2))))


def _along_eyes(points: Floats) -> Floats:
    across = points[1] - points[0] + points[4] - points[3]
    return np.asarray(across / max(1e-6, float(np.hypot(*across))))


def _homography(start: Floats, end: Floats) -> Floats:
    """The 3 × 3 map of four points onto four others; the last number is 1."""
    # Around the middle and at size 1, so that the equations are well conditioned.
    rows, wanted = [], []
    for (x, y), (u, v) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    solved = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    return np.append(solved, 1.0).reshape(3, 3)


def _through(homography: Floats, point: Floats) -> Floats:
    mapped = homography @ np.append(point, 1.0)
    return np.asarray(mapped[:2] / mapped[2])

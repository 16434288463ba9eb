"""A face's first, frontal view, and where its five points lie in a later picture: to a part of a pixel, by the picture itself.

A detector places points by what faces look like in general, off by several hundredths of the eye distance, and not by the same in each frame. That
is as much as a turned nose moves. Around each point the first view is laid over the later picture, brought to the first view's shape by the points
that the detector gave, and moved to where both look most alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sameface.types import ImageRGB

Floats = npt.NDArray[np.float64]
Grey = npt.NDArray[np.float32]

#: Pixels of the side of a view, and of the eye distance in it.
SIDE: Final = 128
_EYES: Final = 40.0
_MIDDLE: Final = np.array([SIDE / 2, 0.36 * SIDE])
#: Half the side of what is compared around a point, and how far it is looked for, in pixels of a view.
_AROUND: Final = 6
_REACH: Final = 10
_OUTER: Final = [0, 1, 3, 4]
_GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)


class Found(NamedTuple):
    """Where the points of a first view are in a later picture.

    Attributes:
        points_xy: ``(5, 2)`` float64 pixels.
        likeness: least of the five correlations, 1 where everything looks the same.
    """

    points_xy: Floats
    likeness: float


@dataclass(frozen=True, eq=False)
class FirstView:
    """A face as it was first seen.

    Attributes:
        grey: ``(SIDE, SIDE)`` uint8, upright, eyes `_EYES` apart.
        points_xy: ``(5, 2)`` pixels in `grey`.
        unit: pixels of the picture that it was taken from, for one of `grey`.
    """

    grey: npt.NDArray[np.uint8]
    points_xy: Floats
    unit: float = 1.0

    @classmethod
    def of(cls, image_rgb: ImageRGB, points_xy: npt.NDArray[np.floating]) -> FirstView:
        """Take a face out of a picture.

        Args:
            image_rgb: the whole picture.
            points_xy: ``(5, 2)`` pixels, in the order of ``arcface5``.
        """
        points = np.asarray(points_xy, np.float64)
        across = points[1] - points[0]
        # From the view's pixels to the picture's: turned and scaled, as complex numbers are.
        factor = complex(*across) / _EYES
        middle = complex(*(points[:2].mean(0)))
        step = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
        shift = np.array([middle.real, middle.imag]) - step @ _MIDDLE
        grey = _sampled(image_rgb, step, shift)
        return cls(np.rint(grey).astype(np.uint8), np.linalg.solve(step, (points - shift).T).T, abs(factor))

    def find(self, image_rgb: ImageRGB, points_xy: npt.NDArray[np.floating]) -> Found:
        """The same five points in a later picture.

        Args:
            image_rgb: the whole picture.
            points_xy: ``(5, 2)`` where the detector put them.
        """
        rough = np.asarray(points_xy, np.float64)
        # The affine map from the view to the picture, by the outer points; the nose is left out, it may have moved for itself.
        known = np.hstack([self.points_xy[_OUTER], np.ones((4, 1))])
        solved = np.linalg.lstsq(known, rough[_OUTER], rcond=None)[0]
        step, shift = np.asarray(solved[:2].T, np.float64), np.asarray(solved[2], np.float64)
        later, first = _sampled(image_rgb, step, shift), self.grey.astype(np.float32)
        moved, alike = zip(*(_best(first, later, point) for point in self.points_xy), strict=True)
        return Found(np.stack(moved) @ step.T + shift, min(alike))


def _best(first: Grey, later: Grey, point: Floats) -> tuple[Floats, float]:
    """Where the surroundings of a point of the first view lie in the later one, and how alike they are (−1 to 1)."""
    x, y = (int(value) for value in np.clip(np.rint(point), _AROUND + _REACH, SIDE - 1 - _AROUND - _REACH))
    pattern = first[y - _AROUND : y + _AROUND + 1, x - _AROUND : x + _AROUND + 1]
    reach = _AROUND + _REACH
    part = later[y - reach : y + reach + 1, x - reach : x + reach + 1]
    windows = np.lib.stride_tricks.sliding_window_view(part, pattern.shape)
    pattern = pattern - pattern.mean()
    mean = windows.mean((2, 3))
    spread = np.sqrt(np.maximum((windows**2).mean((2, 3)) - mean**2, 1e-3))
    alike = np.einsum("yxab,ab->yx", windows, pattern) / (pattern.size * spread * max(float(pattern.std()), 1e-3))
    row, column = np.unravel_index(int(alike.argmax()), alike.shape)
    down = row - _REACH + _between(alike[:, column], int(row))
    right = column - _REACH + _between(alike[row], int(column))
    return point + np.array([right, down]), float(alike[row, column])


def _between(values: Grey, place: int) -> float:
    """How far the top of a parabola through three neighbours lies from the middle one."""
    if not 0 < place < len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[place - 1 : place + 2])
    bent = before - 2 * here + after
    return 0.0 if bent >= 0 else float(np.clip(0.5 * (before - after) / bent, -0.5, 0.5))


def _sampled(image_rgb: ImageRGB, step: Floats, shift: Floats) -> Grey:
    """The view of a picture through an affine map, grey; edges of the picture are repeated."""
    size = float(np.sqrt(abs(np.linalg.det(step))))
    whole = max(1, int(size))  # large faces are shrunk first, by the mean of whole blocks
    height, width = image_rgb.shape[:2]
    corners = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) @ step.T + shift
    left, top = (int(value) for value in np.clip(np.floor(corners.min(0)) - whole, 0, (width - 1, height - 1)))
    right, bottom = (
        int(value) for value in np.clip(np.ceil(corners.max(0)) + whole + 1, (left + 1, top + 1), (width, height))
    )
    grey = image_rgb[top:bottom, left:right].astype(np.float32) @ _GREY
    if whole > 1 and min(grey.shape) >= whole:
        rows, columns = grey.shape[0] // whole, grey.shape[1] // whole
        grey = grey[: rows * whole, : columns * whole].reshape(rows, whole, columns, whole).mean((1, 3))
    else:
        whole = 1
    line = np.arange(SIDE, dtype=np.float64)
    x = (step[0, 0] * line + step[0, 1] * line[:, None] + shift[0] - left + 0.5) / whole - 0.5
    y = (step[1, 0] * line + step[1, 1] * line[:, None] + shift[1] - top + 0.5) / whole - 0.5
    x, y = np.clip(x, 0, grey.shape[1] - 1), np.clip(y, 0, grey.shape[0] - 1)
    x0, y0 = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    x1, y1 = np.minimum(x0 + 1, grey.shape[1] - 1), np.minimum(y0 + 1, grey.shape[0] - 1)
    right_share, down_share = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
    upper = grey[y0, x0] * (1 - right_share) + grey[y0, x1] * right_share
    lower = grey[y1, x0] * (1 - right_share) + grey[y1, x1] * right_share
    return np.asarray(upper * (1 - down_share) + lower * down_share, np.float32)

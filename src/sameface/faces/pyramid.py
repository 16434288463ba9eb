"""One photo at many scales, all on one sheet, so that a sliding network runs once and crops are gathered at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from sameface.types import ImageRGB

Floats = npt.NDArray[np.float32]

#: From one level to the next: half the area.
STEP: Final = 2**-0.5
#: So many steps halve both sides.
_OCTAVE: Final = 2


@dataclass(frozen=True, slots=True)
class Level:
    """Where a scaled copy lies on the sheet.

    Attributes:
        left, top, width, height: in the sheet's pixels; left and top are even.
        scale_xy: sheet pixels per photo pixel.
    """

    left: int
    top: int
    width: int
    height: int
    scale_xy: tuple[float, float]


class Pyramid:
    """The sheet of a photo.

    Args:
        image: the photo, RGB.
        scale: of the first level that is searched, at most 1.
        cell: side of the window that slides; levels smaller than that are left out. Up to two finer levels than `scale`
            are kept for crops.

    Attributes:
        searched: the levels to slide over, finest first; they fill the top left of the sheet.
        area_wh: that part of the sheet.
        levels: all levels, finest first.
    """

    def __init__(self, image: Image.Image, scale: float, cell: int) -> None:
        finer = [value for value in (2 * scale, scale / STEP) if value <= 1]
        made: list[Image.Image] = []
        sizes: list[tuple[float, float]] = []
        current = finer[0] if finer else scale
        while True:
            n = len(made)
            if n < _OCTAVE:
                size = max(1, round(image.width * current)), max(1, round(image.height * current))
                copy, scale_xy = _resized(image, size), (size[0] / image.width, size[1] / image.height)
            else:
                # Half of the copy before the last: a mean over 2 × 2 pixels, far cheaper than from the photo.
                copy, before = made[n - _OCTAVE].reduce(2), sizes[n - _OCTAVE]
                scale_xy = before[0] / 2, before[1] / 2
            if min(copy.size) < cell:
                break
            made.append(copy)
            sizes.append(scale_xy)
            current *= STEP
        finest, copies = made[: len(finer)], made[len(finer) :]
        places, width, height = _shelves([copy.size for copy in copies])
        self.area_wh = width, height
        total_width, total_height = max([width, *(copy.width for copy in finest)]), height
        below: list[tuple[int, int]] = []
        for copy in finest:
            below.append((0, total_height))
            total_height += copy.height
        self.levels = [
            Level(left, top, copy.width, copy.height, scale_xy)
            for copy, (left, top), scale_xy in zip(made, [*below, *places], sizes, strict=True)
        ]
        self.searched = self.levels[len(finest) :]
        # Pillow lays copies side by side far quicker than NumPy does. The last row stays black, for what lies outside.
        sheet = Image.new("RGB", (max(1, total_width), total_height + 1))
        for level, copy in zip(self.levels, made, strict=True):
            sheet.paste(copy, (level.left, level.top))
        self._searched = sheet.crop((0, 0, width, height))
        # Four bytes a pixel: one gather for all three colours.
        self._pixels = np.frombuffer(sheet.tobytes("raw", "RGBX"), dtype=np.uint32).reshape(sheet.height, sheet.width)

    def area(self) -> ImageRGB:
        """The searched part, ``(1, h, w, 3)`` uint8."""
        return np.asarray(self._searched)[None]

    def crops(self, squares: Floats, size: int) -> ImageRGB:
        """Squares of the photo, each scaled to `size` by bilinear sampling of the level that is nearest above that.

        Args:
            squares: ``(n, 4)`` in photo pixels; black where they leave the photo.
            size: side of the crops.

        Returns:
            ``(n, size, size, 3)`` uint8.
        """
        boxes = squares.astype(np.float64)
        places = np.array(
            [(level.left, level.top, level.width, level.height, *level.scale_xy) for level in self.levels]
        )
        # The coarsest level on which the square still has `size` pixels; else the finest.
        enough = (boxes[:, 2] - boxes[:, 0])[:, None] * places[:, 4] >= size * 0.99
        chosen = np.where(enough.any(axis=1), len(places) - 1 - enough[:, ::-1].argmax(axis=1), 0)
        place = places[chosen]
        steps = (np.arange(size) + 0.5) / size
        x = (boxes[:, :1] + (boxes[:, 2:3] - boxes[:, :1]) * steps) * place[:, 4:5] - 0.5
        y = (boxes[:, 1:2] + (boxes[:, 3:] - boxes[:, 1:2]) * steps) * place[:, 5:6] - 0.5
        (x0, x1, across, x_out), (y0, y1, down, y_out) = _taps(x, place[:, 2:3]), _taps(y, place[:, 3:4])
        flat, row = self._pixels.reshape(-1), self._pixels.shape[1]
        x0, x1 = x0 + place[:, :1].astype(np.intp), x1 + place[:, :1].astype(np.intp)
        y0, y1 = (y0 + place[:, 1:2].astype(np.intp)) * row, (y1 + place[:, 1:2].astype(np.intp)) * row
        black = flat.size - 1
        outside = y_out[:, :, None] | x_out[:, None, :]
        any_outside = bool(outside.any())

        def rows_of(line: npt.NDArray[np.intp]) -> Floats:
            first, second = line[:, :, None] + x0[:, None], line[:, :, None] + x1[:, None]
            if any_outside:
                first[outside], second[outside] = black, black
            one, two = _colours(flat[first]), _colours(flat[second])
            two -= one
            two *= across[:, None, :, None]
            one += two
            return one

        upper, lower = rows_of(y0), rows_of(y1)
        lower -= upper
        lower *= down[:, :, None, None]
        upper += lower
        upper += np.float32(0.5)
        return upper.astype(np.uint8)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5)


def _shelves(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], int, int]:
    """Places for pictures that shrink in turn, on shelves as wide as the first; all at even pixels."""
    places: list[tuple[int, int]] = []
    shelves: list[list[int]] = []  # top, height, used width
    full = sizes[0][0] if sizes else 0
    bottom = 0
    for width, height in sizes:
        shelf = next((one for one in shelves if one[1] >= height and one[2] + width <= full), None)
        if shelf is None:
            shelf = [bottom, height, 0]
            shelves.append(shelf)
            bottom += height + height % 2
        places.append((shelf[2], shelf[0]))
        shelf[2] += width + width % 2
    return places, full, bottom


def _taps(
    at: npt.NDArray[np.float64], length: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats, npt.NDArray[np.bool_]]:
    """Both neighbours of each position, kept inside; the share of the second; which positions lie outside."""
    low = np.floor(at)
    last = length - 1
    first, second = np.clip(low, 0, last).astype(np.intp), np.clip(low + 1, 0, last).astype(np.intp)
    return first, second, (at - low).astype(np.float32), (at < -0.5) | (at > last + 0.5)


def _colours(pixels: npt.NDArray[np.uint32]) -> Floats:
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., :3].astype(np.float32)

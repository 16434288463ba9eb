"""A picture of which only what is asked for becomes an array.

A phone's photo has 12 million pixels. A search sees 640 of its 4,000 columns, and a crop a small part of it: both are cut from the decoded
picture where it lies, so the 36 MB of the whole array are made only for those who ask for them (docs/decisions/large-photos.md).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sameface.errors import DamagedImageError, SamefaceError
from sameface.imaging.pixels import orientation_of, picture_to_rgb, upright, upright_box, upright_size
from sameface.imaging.sources import sha256_of_bytes
from sameface.types import Box, ImageRGB

if TYPE_CHECKING:
    from PIL.Image import Image


class _Ready(NamedTuple):
    """A decoded picture: as Pillow holds it, lying as the file does, or as an upright array where its colours had to be converted."""

    picture: Image | None
    pixels: ImageRGB | None
    orientation: int


class Photo:
    """An upright picture, decoded when first asked for. For one thread at a time.

    Args:
        opened: a Pillow image that may not be decoded yet, or ``(h, w, 3)`` uint8 RGB.
        source: the path, "" where there was none.
        data: the file's bytes, empty for arrays and Pillow images, which have no file.

    Every attribute and method but `source` and `sha256` may raise `DamagedImageError` or `NotAnImageError`, when it decodes.
    """

    def __init__(self, opened: Image | ImageRGB, *, source: str = "", data: bytes = b"") -> None:
        self._opened = opened
        self._data = data
        self.source = source

    @property
    def from_array(self) -> bool:
        """Whether it was given as numbers, which say nothing of their order of colours."""
        return isinstance(self._opened, np.ndarray) and not self._data

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the file's bytes, "" where there is no file."""
        return sha256_of_bytes(self._data) if self._data else ""

    @property
    def pixels(self) -> int:
        """How many pixels the file's header promises; nothing is decoded."""
        height, width = self._opened.shape[:2] if isinstance(self._opened, np.ndarray) else self._opened.size[::-1]
        return int(height * width)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        if self._ready.picture is not None:
            return upright_size(self._ready.picture.size, self._ready.orientation)
        height, width = self.image_rgb.shape[:2]
        return width, height

    @cached_property
    def image_rgb(self) -> ImageRGB:
        """The whole picture, ``(h, w, 3)`` uint8 RGB, contiguous, upright."""
        if self._ready.picture is None:
            assert self._ready.pixels is not None
            return self._ready.pixels
        return upright(np.array(self._ready.picture), self._ready.orientation)

    def at_most(self, longest_side: int) -> ImageRGB:
        """The whole picture, scaled down where it is larger than that.

        Args:
            longest_side: pixels.
        """
        if max(self.size_wh) <= longest_side:
            return self.image_rgb
        if self._ready.picture is None:
            return shrunk(self.image_rgb, longest_side)
        return upright(np.asarray(_shrunk(self._ready.picture, longest_side)), self._ready.orientation)

    def part(self, box: Box | None = None, *, turns: int = 0) -> tuple[ImageRGB, tuple[int, int]]:
        """The part of the picture that a box touches.

        Args:
            box: may reach outside; None is the whole.
            turns: quarter turns, counterclockwise, by which the picture is turned before all this: the box lies in the turned one.

        Returns:
            ``(h, w, 3)`` uint8 RGB, and the column and row of the (turned) picture where it begins: multiples of 64, so that whoever halves
            pictures takes the same pixels together.
        """
        if turns % 4:
            return self._turned_part(box, turns % 4)
        width, height = self.size_wh
        box = box or Box(0, 0, width, height)
        left, top = (min(max(0, math.floor(edge / 64) * 64), end) for edge, end in ((box.x1, width), (box.y1, height)))
        right, bottom = max(left, min(width, math.ceil(box.x2))), max(top, min(height, math.ceil(box.y2)))
        if self._ready.picture is None or "image_rgb" in self.__dict__:
            return self.image_rgb[top:bottom, left:right], (left, top)
        corners = upright_box((left, top, right, bottom), self.size_wh, self._ready.orientation)
        return upright(np.array(self._ready.picture.crop(corners)), self._ready.orientation), (left, top)

    def _turned_part(self, box: Box | None, turns: int) -> tuple[ImageRGB, tuple[int, int]]:
        # Asked for once more than it is shown, so that the part begins at multiples of 64 in the turned picture too.
        width, height = self.size_wh if turns == 2 else self.size_wh[::-1]
        box = box or Box(0, 0, width, height)
        left, top = (min(max(0, math.floor(edge / 64) * 64), end) for edge, end in ((box.x1, width), (box.y1, height)))
        right, bottom = max(left, min(width, math.ceil(box.x2))), max(top, min(height, math.ceil(box.y2)))
        # Counterclockwise by one quarter, column x of the picture becomes row width − x.
        back = {
            1: Box(height - bottom, left, height - top, right),
            2: Box(width - right, height - bottom, width - left, height - top),
            3: Box(top, width - right, bottom, width - left),
        }[turns]
        pixels, (first_column, first_row) = self.part(back)
        x, y = int(back.x1) - first_column, int(back.y1) - first_row
        return np.ascontiguousarray(np.rot90(pixels[y:, x:], turns)), (left, top)

    @cached_property
    def _ready(self) -> _Ready:
        if isinstance(self._opened, np.ndarray):
            return _Ready(None, self._opened, 1)
        image = self._opened
        try:
            image.load()  # first: Pillow's TIFF reader turns the picture itself while loading, and then drops the tag
            orientation = orientation_of(image)
            if image.mode == "RGB" and "transparency" not in image.info:
                return _Ready(image, None, orientation)
            return _Ready(None, upright(picture_to_rgb(image), orientation), 1)
        except SamefaceError:
            raise
        except Exception as error:  # decoders fail in many ways on hostile bytes: OS, struct, index, memory …
            raise DamagedImageError(
                expected="a whole picture",
                got=f"one that is cut short or broken{f' in {self.source}' if self.source else ''}",
                advice="save or send the picture again",
            ) from error


def shrunk(image_rgb: ImageRGB, longest_side: int) -> ImageRGB:
    """A picture scaled down to a longest side by a mean over areas; the same memory where it is no larger.

    >>> shrunk(np.full((10, 40, 3), 7, np.uint8), 20).shape
    (5, 20, 3)
    """
    if max(image_rgb.shape[:2]) <= longest_side:
        return image_rgb
    from PIL import Image

    return np.asarray(_shrunk(Image.fromarray(image_rgb), longest_side))


def _shrunk(picture: Image, longest_side: int) -> Image:
    from PIL.Image import Resampling

    scale = longest_side / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Resampling.BILINEAR, reducing_gap=1.5)

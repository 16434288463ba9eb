"""Crops by a similarity: find it, shrink first where the face is large, sample, all in NumPy.

Sampling follows dlib to the grey level: pixel corners are whole numbers, bilinear, cut (not rounded) to 8 bits, black
where one of the four neighbours is outside the picture. Source: the behaviour of dlib's extract_image_chip, measured
(tests/faces/test_align.py); Umeyama 1991 for the similarity.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sameface.types import Box, ImageRGB

#: A halved picture's pixel p lies at 2 p + this in the picture it came from (x, y). dlib's own bookkeeping, kept as it
#: is: the filter's true centre is (2, 2).
_HALVING_OFFSET_XY = (2.5, 1.5)
#: The smallest side that dlib halves.
_SMALLEST_TO_HALVE = 8
#: Rows of the half that are made at once: what they need stays in the processor's cache.
_STRIP: Final = 64
#: Crops by OpenCV's rule are halved above this many source pixels a step.
_HALVE_ABOVE = 2.0


class Similarity(NamedTuple):
    """``source = scale · rotation(angle) · crop + shift``, as complex numbers: ``source = factor · crop + shift``."""

    factor: complex
    shift: complex

    def of(self, point: complex) -> complex:
        """Where a point of the crop lies in the picture."""
        return self.factor * point + self.shift


def fit_similarity(crop_xy: npt.NDArray[np.floating], image_xy: npt.NDArray[np.floating]) -> Similarity:
    """The similarity (no mirroring) that takes points of a crop to points of a picture with least squares.

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> found = fit_similarity(square, 2 * square + (5, 7))
    >>> abs(found.factor - 2) < 1e-12, abs(found.shift - (5 + 7j)) < 1e-12
    (True, True)
    """
    start = crop_xy[:, 0].astype(np.float64) + 1j * crop_xy[:, 1].astype(np.float64)
    end = image_xy[:, 0].astype(np.float64) + 1j * image_xy[:, 1].astype(np.float64)
    centred = start - start.mean()
    length = float((centred.real**2 + centred.imag**2).sum())
    factor = complex((np.conj(centred) * (end - end.mean())).sum() / length) if length else 1 + 0j
    return Similarity(factor, complex(end.mean() - factor * start.mean()))


def crop_by(image_rgb: ImageRGB, similarity: Similarity, size: int) -> ImageRGB:
    """A square crop.

    A face more than twice as large as its crop is halved first, again and again, with a 1-4-6-4-1 filter.

    Args:
        image_rgb: ``(h, w, 3)`` uint8 RGB.
        similarity: from the crop's pixels to the picture's.
        size: side of the crop.

    Returns:
        ``(size, size, 3)`` uint8 RGB.
    """
    # The crop's square in the picture: centre, half the way from its first pixel to its last, direction.
    middle, half = similarity.of(complex(size / 2, size / 2)), (abs(similarity.factor) * size - 1) / 2
    if not (math.isfinite(middle.real) and math.isfinite(middle.imag)) or half < 0:
        return np.zeros((size, size, 3), dtype=np.uint8)
    direction = similarity.factor / abs(similarity.factor)
    corners = [middle + direction * half * corner for corner in (-1 - 1j, 1 - 1j, -1 + 1j, 1 + 1j)]
    depth = _halvings(2 * half, size)
    grow = 2.0
    for _ in range(depth):
        grow = 2 * grow + 2
    height, width = image_rgb.shape[:2]
    left = _rounded(max(min(c.real for c in corners) - grow, 0))
    top = _rounded(max(min(c.imag for c in corners) - grow, 0))
    right = _rounded(min(max(c.real for c in corners) + grow, width - 1))
    bottom = _rounded(min(max(c.imag for c in corners) + grow, height - 1))
    if right < left or bottom < top:
        return np.zeros((size, size, 3), dtype=np.uint8)
    part = image_rgb[top : bottom + 1, left : right + 1]
    middle -= complex(left, top)
    for _ in range(depth):
        part = halve(part)
        middle = (middle - complex(*_HALVING_OFFSET_XY)) / 2
        half /= 2
    # The outermost pixels of the crop, not their outer edges, lie on the square's corners.
    factor = direction * (2 * half / (size - 1)) if size > 1 else direction
    return _sample(part, Similarity(factor, middle - direction * half * (1 + 1j)), size)


def _halvings(reach: float, size: int) -> int:
    """How often to halve before a square that reaches so far from first to last pixel has no more than the crop's."""
    depth = 0
    while reach / 2 ** (depth + 1) + 1 > size:
        depth += 1
    return depth


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def halve(image_rgb: ImageRGB) -> ImageRGB:
    """A picture of half the size by the 5 × 5 filter (1 4 6 4 1)/16, cut to 8 bits.

    Returns:
        ``((h − 3) // 2, (w − 3) // 2, 3)``; nothing for a picture of at most 8 rows or columns.
    """
    height, width = image_rgb.shape[:2]
    if height <= _SMALLEST_TO_HALVE or width <= _SMALLEST_TO_HALVE:
        return np.zeros((0, 0, 3), dtype=np.uint8)
    rows, columns = (height - 3) // 2, (width - 3) // 2
    half = np.empty((rows, columns, 3), dtype=np.uint8)
    for top in range(0, rows, _STRIP):
        count = min(_STRIP, rows - top)
        lines = image_rgb[2 * top : 2 * (top + count) + 3].reshape(2 * count + 3, -1).astype(np.uint16)
        flat = _filtered(lines[0::2], lines[1::2]).reshape(count, width, 3)
        # Colour by colour every second column is a plain copy, three times as fast as pixel by pixel.
        planes = np.ascontiguousarray(flat.transpose(2, 1, 0)[:, : 2 * columns + 3].transpose(1, 0, 2))
        sums = _filtered(planes[0::2], planes[1::2])
        sums >>= 8
        half[top : top + count] = sums.transpose(2, 0, 1)
    return half


def _filtered(even: npt.NDArray[np.uint16], odd: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Sums 1 4 6 4 1 around lines 2, 4, 6 …: at most 255 · 16 · 16 = 65,280 after both axes, which fits.

    Args:
        even: lines 0, 2, 4 …, two more than there are sums.
        odd: lines 1, 3, 5 …, one more.
    """
    sums = odd[:-1] + odd[1:]
    sums <<= 2
    sums += even[:-2]
    sums += even[2:]
    sums += 6 * even[1:-1]
    return sums


def _sample(image_rgb: ImageRGB, similarity: Similarity, size: int, add: float = 0.0) -> ImageRGB:
    height, width = image_rgb.shape[:2]
    if height < 2 or width < 2:
        return np.zeros((size, size, 3), dtype=np.uint8)
    steps = np.arange(size)
    where = similarity.shift + similarity.factor * steps + (similarity.factor * 1j * steps)[:, None]
    x, y = where.real, where.imag
    left, top = np.floor(x), np.floor(y)
    outside = (left < 0) | (top < 0) | (left >= width - 1) | (top >= height - 1)
    index = (top * width + left).astype(np.intp)
    some_outside = bool(outside.any())
    if some_outside:
        index[outside] = 0
    # Four bytes a pixel: one gather for all three colours.
    four = np.zeros((height, width, 4), dtype=np.uint8)
    four[..., :3] = image_rgb
    flat = four.reshape(-1).view(np.uint32)
    across, down = (x - left)[..., None], (y - top)[..., None]
    back, up = 1 - across, 1 - down
    # In double and in dlib's order: where neighbours are equal the sum may fall just short of a whole number, and is cut.
    crop: ImageRGB = (
        up * (back * _pixels(flat, index) + across * _pixels(flat, index + 1))
        + down * (back * _pixels(flat, index + width) + across * _pixels(flat, index + width + 1))
        + add
    ).astype(np.uint8)
    if some_outside:
        crop[outside] = 0
    return crop


def _pixels(flat: npt.NDArray[np.uint32], index: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
    return np.asarray(flat[index].view(np.uint8).reshape(*index.shape, 4)[..., :3])


def crop_as_opencv(image_rgb: ImageRGB, similarity: Similarity, size: int) -> ImageRGB:
    """A square crop as `cv2.warpAffine` makes it (bilinear, rounded, black outside), halving large faces first.

    The published training crops of ArcFace models come from that function. It skips pixels where a face is more than
    twice as large as its crop, so such faces are halved first, which OpenCV does not do.
    """
    image_rgb, similarity = _surroundings(image_rgb, similarity, size)
    while abs(similarity.factor) > _HALVE_ABOVE and min(image_rgb.shape[:2]) > _SMALLEST_TO_HALVE:
        image_rgb = halve(image_rgb)
        similarity = Similarity(similarity.factor / 2, (similarity.shift - complex(2, 2)) / 2)
    return _sample(image_rgb, similarity, size, add=0.5)


def reach_of(similarity: Similarity, size: int) -> Box | None:
    """The pixels that `crop_as_opencv` can touch; None where the similarity is not finite."""
    corners = [similarity.of(complex(x, y)) for x in (0, size) for y in (0, size)]
    if not all(math.isfinite(value) for corner in corners for value in (corner.real, corner.imag)):
        return None
    margin = 4 * abs(similarity.factor) + 4
    return Box(
        min(c.real for c in corners) - margin,
        min(c.imag for c in corners) - margin,
        max(c.real for c in corners) + margin,
        max(c.imag for c in corners) + margin,
    )


def _surroundings(image_rgb: ImageRGB, similarity: Similarity, size: int) -> tuple[ImageRGB, Similarity]:
    """The part of a photo that a crop can touch, and the similarity in it."""
    box = reach_of(similarity, size)
    height, width = image_rgb.shape[:2]
    if box is None:
        return image_rgb[:0, :0], similarity
    # From a multiple of 64, so that halving takes the same pixels together wherever the part begins.
    left = min(max(0, math.floor(box.x1 / 64) * 64), width)
    top = min(max(0, math.floor(box.y1 / 64) * 64), height)
    right, bottom = max(0, math.ceil(box.x2)), max(0, math.ceil(box.y2))
    return image_rgb[top:bottom, left:right], Similarity(similarity.factor, similarity.shift - complex(left, top))

"""What the passive networks look at: a face with much around it, cut and scaled as in their training.

Source: the published code of Silent-Face-Anti-Spoofing (its crop, and OpenCV's bilinear scaling without smoothing); compared with OpenCV in
tests/liveness/test_patches.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.types import Box, ImageRGB

Floats = npt.NDArray[np.float32]


def patch_of(image_rgb: ImageRGB, box: Box, scale: float, side: int) -> ImageRGB:
    """A square picture of a face's surroundings. Proportions are not kept, as in training.

    Args:
        image_rgb: ``(h, w, 3)`` uint8 RGB.
        box: the face.
        scale: how many times as wide and high as the box; less where the photo does not hold so much.
        side: pixels of the result's side.

    Returns:
        ``(side, side, 3)`` uint8 RGB.
    """
    left, top, right, bottom = surroundings(box, scale, image_rgb.shape[1], image_rgb.shape[0])
    return _scaled(image_rgb[top : bottom + 1, left : right + 1], side)


def surroundings(box: Box, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """First and last column and row of the part, pushed back into the photo where it would leave it.

    >>> surroundings(Box(40, 40, 60, 60), 2.0, 100, 100)
    (30, 30, 70, 70)
    >>> surroundings(Box(0, 40, 20, 60), 2.0, 100, 100)
    (0, 30, 40, 70)
    """
    wide, high = max(1.0, box.width), max(1.0, box.height)
    scale = min((height - 1) / high, (width - 1) / wide, scale)
    half_wide, half_high = wide * scale / 2, high * scale / 2
    x, y = box.center_xy
    x = min(max(x, half_wide), width - 1 - half_wide)
    y = min(max(y, half_high), height - 1 - half_high)
    return int(x - half_wide), int(y - half_high), int(x + half_wide), int(y + half_high)


def _scaled(part_rgb: ImageRGB, side: int) -> ImageRGB:
    """Bilinear between the four pixels around each point, edges repeated, nothing smoothed."""
    rows, columns = part_rgb.shape[:2]
    up, down, lower = _places(rows, side)
    left, right, later = _places(columns, side)
    # The two rows of each line, then the two columns of each point: only pixels that are needed are touched.
    first, second = part_rgb[up].astype(np.float32), part_rgb[down].astype(np.float32)
    mixed = first + (second - first) * lower[:, None, None]
    across = mixed[:, left] + (mixed[:, right] - mixed[:, left]) * later[None, :, None]
    return np.asarray(np.rint(across), np.uint8)


def _places(length: int, side: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    where = np.clip((np.arange(side) + 0.5) * (length / side) - 0.5, 0, length - 1)
    first = np.floor(where).astype(np.intp)
    return first, np.minimum(first + 1, length - 1), (where - first).astype(np.float32)

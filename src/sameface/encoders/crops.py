"""Face crops as encoders take them: checked, and scaled to the network's own input."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sameface.errors import CropError
from sameface.types import CropsRGB


def check_crops(crops_rgb: npt.NDArray[Any]) -> CropsRGB:
    """Raise unless these are face crops.

    Returns:
        The same array.

    Raises:
        CropError: not an array ``(m, h, w, 3)`` of uint8 with h and w above 0.

    >>> check_crops(np.zeros((2, 160, 160, 3), dtype=np.uint8)).shape
    (2, 160, 160, 3)
    """
    if (
        not isinstance(crops_rgb, np.ndarray)
        or crops_rgb.ndim != 4
        or crops_rgb.shape[3] != 3
        or 0 in crops_rgb.shape[1:3]
    ):
        got = f"shape {crops_rgb.shape}" if isinstance(crops_rgb, np.ndarray) else type(crops_rgb).__name__
        raise CropError(
            expected="face crops of shape (m, h, w, 3)",
            got=got,
            advice="stack RGB crops along a first axis, even a single one",
        )
    if crops_rgb.dtype != np.uint8:
        raise CropError(
            expected="uint8 pixels, 0 to 255",
            got=str(crops_rgb.dtype),
            advice="do not normalise: the encoder does; convert with .astype('uint8')",
        )
    return crops_rgb


def scale_crops(crops_rgb: CropsRGB, size_wh: tuple[int, int]) -> CropsRGB:
    """Scale crops to a size, without cutting anything off.

    Bicubic; shrinking averages over all pixels it covers, so nothing aliases. The same input gives the same output
    everywhere.

    Args:
        crops_rgb: ``(m, h, w, 3)`` uint8.
        size_wh: target (width, height).

    Returns:
        ``(m, height, width, 3)`` uint8; the very array that came when it has that size.
    """
    width, height = size_wh
    if crops_rgb.shape[1:3] == (height, width):
        return crops_rgb
    from PIL import Image

    scaled = np.empty((len(crops_rgb), height, width, 3), dtype=np.uint8)
    for index, crop in enumerate(crops_rgb):
        picture = Image.fromarray(np.ascontiguousarray(crop))
        scaled[index] = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
    return scaled

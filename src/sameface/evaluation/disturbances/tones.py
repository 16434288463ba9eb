"""Photos with other tones: a few of them, other colours, none."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageOps

from sameface.types import Detection, ImageRGB

#: Ordered dithering (Bayer 1973): thresholds of a 4 × 4 cell.
_BAYER: Final = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16 * 255
#: A heat camera's usual colours from cold to hot.
_HEAT: Final = np.array([[0, 0, 20], [70, 0, 130], [200, 30, 90], [255, 140, 20], [255, 255, 200]], np.float32)


def one_bit(image_rgb: ImageRGB, face: Detection, dithered: float) -> ImageRGB:
    """Black and white: 0 cut at the mean, 1 with scattered dots."""
    grey = Image.fromarray(image_rgb).convert("L")
    level = float(np.asarray(grey).mean())
    bits = grey.convert("1") if dithered else grey.point(lambda value: 255 if value > level else 0)
    return np.asarray(bits.convert("RGB"))


def half_toned(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Black and white in a regular grid of dots, as print has it."""
    grey = np.asarray(Image.fromarray(image_rgb).convert("L"))
    height, width = grey.shape
    levels = np.tile(_BAYER, (-(-height // 4), -(-width // 4)))[:height, :width]
    return np.repeat(np.where(grey > levels, 255, 0).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def posterised(image_rgb: ImageRGB, face: Detection, tones: float) -> ImageRGB:
    """So many tones of each colour."""
    steps = tones - 1
    return (np.rint(image_rgb / 255 * steps) * (255 / steps)).astype(np.uint8)


def inverted(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """A negative."""
    return 255 - image_rgb


def solarised(image_rgb: ImageRGB, face: Detection, level: float) -> ImageRGB:
    """A negative of what is brighter than a level."""
    return np.asarray(ImageOps.solarize(Image.fromarray(image_rgb), round(level)))


def tinted(image_rgb: ImageRGB, face: Detection, channel: float) -> ImageRGB:
    """One colour at full strength, the others at a fifth."""
    answer = image_rgb.copy()
    answer[..., [index for index in range(3) if index != int(channel)]] //= 5
    return answer


def grey(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Without colour."""
    return np.asarray(Image.fromarray(image_rgb).convert("L").convert("RGB"))


def heat(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Brightness in a heat camera's colours."""
    stops = np.linspace(0, 255, len(_HEAT))
    table = np.stack([np.interp(np.arange(256), stops, _HEAT[:, channel]) for channel in range(3)], axis=1)
    return np.asarray(table.astype(np.uint8)[np.asarray(Image.fromarray(image_rgb).convert("L"))])


def swapped(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Red for blue, as a program that mixes up the order of colours has it."""
    return np.ascontiguousarray(image_rgb[..., ::-1])

"""What a disturbance is, and what all of them need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sameface.types import Box, Detection, ImageRGB

#: (photo, the face in it, strength) to the disturbed photo.
Disturb = Callable[[ImageRGB, Detection, float], ImageRGB]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One kind of damage.

    Attributes:
        name: what tables call it.
        strengths: those that are measured, mildest first.
        unit: of a strength, "" where it only counts.
        apply: makes it; the photo given stays as it is.
    """

    name: str
    strengths: tuple[float, ...]
    unit: str
    apply: Disturb


def face_of(box: Box) -> float:
    """Width of a face: the longer side of its box, at least one pixel."""
    return max(1.0, box.width, box.height)


def scaled(image_rgb: ImageRGB, scale: float) -> ImageRGB:
    """The photo at another size: means of pixels when it shrinks."""
    height, width = image_rgb.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(
        Image.fromarray(image_rgb).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    )


def as_picture(values: np.ndarray) -> ImageRGB:
    """Numbers around 0 to 255 as a picture."""
    cut: ImageRGB = np.clip(values, 0, 255).astype(np.uint8)
    return cut


def places(image_rgb: ImageRGB) -> tuple[np.ndarray, np.ndarray]:
    """``(h, w)`` float32: row and column of each pixel."""
    rows, columns = np.mgrid[: image_rgb.shape[0], : image_rgb.shape[1]]
    return rows.astype(np.float32), columns.astype(np.float32)

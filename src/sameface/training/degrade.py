"""Photos as a bad camera would have taken them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sameface.types import ImageRGB


def degrade(image_rgb: ImageRGB, *, shrink: float, quality: int) -> ImageRGB:
    """Shrink a photo and enlarge it again, then store it as JPEG.

    Args:
        image_rgb: ``(h, w, 3)``.
        shrink: new side over old side, in (0, 1]; 24 / w turns faces w pixels wide into faces of 24 pixels.
        quality: of the JPEG, 1 to 95.

    Returns:
        ``(h, w, 3)``, the size it had.
    """
    height, width = image_rgb.shape[:2]
    small = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    photo = (
        Image.fromarray(image_rgb).resize(small, Image.Resampling.BOX).resize((width, height), Image.Resampling.BICUBIC)
    )
    stored = io.BytesIO()
    photo.save(stored, format="JPEG", quality=quality)
    return np.asarray(Image.open(stored).convert("RGB"))

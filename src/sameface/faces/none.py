"""No detector: each picture is a face crop already."""

from __future__ import annotations

from typing import Final

from sameface.types import Box, Detection, ImageRGB


class WholePicture:
    """Takes the whole picture as the face, for thumbnails of 96×96, 112×112, 160×160 and their like."""

    id: Final = "none"

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """One detection that covers the picture; none for an empty picture."""
        height, width = image_rgb.shape[:2]
        return [Detection(Box(0, 0, width, height), 1.0)] if height and width else []

"""No detector at all: for pictures that are face crops already."""

from __future__ import annotations

import numpy as np

from sameface.types import Box, Detection, ImageRGB, Landmarks

#: The scheme that tells the aligner to take the whole picture.
WHOLE_PICTURE = "none"


class WholePicture:
    """Takes every picture as one face crop: 96×96 or 160×160 thumbnails, say. Safe to use from several threads at once."""

    id = "none"
    sure = 0.0
    search_side = None

    def smallest_in(self, width: int, height: int) -> float:
        """Every picture is a face."""
        return 0.0

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """One face as large as the picture; none where there are no pixels."""
        height, width = image_rgb.shape[:2]
        if not height or not width:
            return []
        return [Detection(Box(0, 0, width, height), 1.0, Landmarks(WHOLE_PICTURE, np.zeros((0, 2), np.float32)))]

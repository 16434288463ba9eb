"""dlib's own crops: its box, its 5-point predictor, its chip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from sameface.faces.align import is_whole, whole_picture
from sameface.faces.dlib_box import dlib_box
from sameface.faces.shape_predictor import ShapePredictor
from sameface.faces.templates import template_points
from sameface.faces.warp import crop_by, fit_similarity
from sameface.types import Box, CropsRGB, Detection, ImageRGB

#: Pixels beyond what a tiny face needs, for the filters.
_LEAST_MARGIN: Final = 32


class DlibAligner:
    """dlib's chips: 5 points by its predictor, a quarter of the face as margin. Source: `warp`, `shape_predictor`."""

    #: Raise the number when the box that the predictor starts from, or anything else here, changes a crop.
    _VERSION: Final = 1

    def __init__(self, size: int) -> None:
        self.size = size
        self.id = f"dlib5/dlib-chip-0.25/{size}" + (f"/{self._VERSION}" if self._VERSION > 1 else "")
        self._template = template_points("dlib-chip-0.25", size)
        self._predictor = _dlib5()

    def align(self, image_rgb: ImageRGB, detections: Sequence[Detection]) -> CropsRGB:
        """See `Aligner.align`; a whole-picture detection is scaled, not aligned."""
        crops = np.empty((len(detections), self.size, self.size, 3), dtype=np.uint8)
        found = [n for n, detection in enumerate(detections) if not is_whole(detection)]
        points = self._predictor.predict(image_rgb, [dlib_box(detections[n]) for n in found])
        for n, landmarks in zip(found, points, strict=True):
            crops[n] = crop_by(image_rgb, fit_similarity(self._template, landmarks.points_xy), self.size)
        for n in set(range(len(detections))) - set(found):
            crops[n] = whole_picture(image_rgb, self.size)
        return crops

    def reach(self, detection: Detection) -> Box | None:
        """See `Aligner.reach`: three times the box; the crop is within 1.6 times, the predictor looks about as far."""
        if is_whole(detection):
            return None
        x, y = detection.box.center_xy
        half = 1.5 * max(detection.box.width, detection.box.height) + _LEAST_MARGIN
        return Box(x - half, y - half, x + half, y + half)


@lru_cache(maxsize=1)
def _dlib5() -> ShapePredictor:
    return ShapePredictor("dlib5")

"""From a photo and its detections to the crops that an encoder was trained on.

An encoder's card names the points and the template. dlib's encoders always get the points of dlib's own 5-point
predictor, whatever found the box; ArcFace's get the detector's own five points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image

from sameface.errors import SettingError
from sameface.faces.none import WHOLE_PICTURE
from sameface.faces.templates import SCHEMES, template_points
from sameface.faces.warp import crop_as_opencv, fit_similarity, reach_of
from sameface.types import Box, CropsRGB, Detection, ImageRGB


class Aligner(Protocol):
    """Makes crops. Safe to use from several threads at once.

    Attributes:
        id: names everything that alters a crop; part of each template.
    """

    @property
    def id(self) -> str: ...

    def align(self, image_rgb: ImageRGB, detections: Sequence[Detection]) -> CropsRGB:
        """One crop for each detection, in order.

        Returns:
            ``(m, size, size, 3)`` uint8 RGB; ``(0, size, size, 3)`` for no detections.
        """
        ...

    def reach(self, detection: Detection) -> Box | None:
        """The part of the photo that the crop of a face is made of; None is all of it."""
        ...


def load_aligner(landmarks: str, template: str, size: int) -> Aligner:
    """The aligner that a model card asks for.

    Args:
        landmarks: ``dlib5``, ``arcface5``, or ``none``: the whole picture.
        template: ``dlib-chip-0.25`` (for dlib5), ``arcface-112`` (for arcface5), ``none``.
        size: side of the crop in pixels.

    Raises:
        SettingError: names that do not go together, or a size under 1.
        ModelMissingError, ModelDamagedError: the landmark predictor's weights.
    """
    if SCHEMES.get(template) != landmarks or size < 1:
        pairs = ", ".join(f"{points} with {name}" for name, points in SCHEMES.items())
        raise SettingError(
            expected=f"{pairs}, and a size of 1 or more",
            got=f"{landmarks!r} with {template!r} at {size}",
            advice="correct the model card",
        )
    if landmarks == "dlib5":
        from sameface.faces.dlib_align import DlibAligner  # only for those who use it: it costs every start 12 ms

        return DlibAligner(size)
    return ArcfaceAligner(size) if landmarks == "arcface5" else WholePictureAligner(size)


class ArcfaceAligner:
    """ArcFace's crops: the detector's own five points by a similarity (Umeyama 1991) onto the 112-pixel template."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.id = f"arcface5/arcface-112/{size}"
        self._template = template_points("arcface-112", size)

    def align(self, image_rgb: ImageRGB, detections: Sequence[Detection]) -> CropsRGB:
        """See `Aligner.align`.

        Raises:
            SettingError: the detector gave no such points.
        """
        crops = np.empty((len(detections), self.size, self.size, 3), dtype=np.uint8)
        for n, detection in enumerate(detections):
            if is_whole(detection):
                crops[n] = whole_picture(image_rgb, self.size)
                continue
            if detection.landmarks is None or detection.landmarks.scheme != "arcface5":
                raise SettingError(
                    expected="a detector that gives pupils, nose and corners of the mouth (arcface5)",
                    got="no such points" if detection.landmarks is None else detection.landmarks.scheme,
                    advice="use the detector mtcnn, yunet or scrfd with this encoder",
                )
            crops[n] = crop_as_opencv(
                image_rgb, fit_similarity(self._template, detection.landmarks.points_xy), self.size
            )
        return crops

    def reach(self, detection: Detection) -> Box | None:
        """See `Aligner.reach`."""
        if detection.landmarks is None or detection.landmarks.scheme != "arcface5":
            return None
        return reach_of(fit_similarity(self._template, detection.landmarks.points_xy), self.size)


class WholePictureAligner:
    """The whole picture is the crop, scaled to a square."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.id = f"none/none/{size}"

    def align(self, image_rgb: ImageRGB, detections: Sequence[Detection]) -> CropsRGB:
        """See `Aligner.align`; every detection gives the same crop."""
        crops = np.empty((len(detections), self.size, self.size, 3), dtype=np.uint8)
        if detections:
            crops[:] = whole_picture(image_rgb, self.size)
        return crops

    def reach(self, detection: Detection) -> Box | None:
        """See `Aligner.reach`."""
        return None


def is_whole(detection: Detection) -> bool:
    """Whether the face is said to be the whole picture."""
    return detection.landmarks is not None and detection.landmarks.scheme == WHOLE_PICTURE


def whole_picture(image_rgb: ImageRGB, size: int) -> ImageRGB:
    """``(h, w, 3)`` → ``(size, size, 3)``, uint8 RGB."""
    if image_rgb.shape[:2] == (size, size):
        return image_rgb
    return np.asarray(Image.fromarray(image_rgb).resize((size, size), Image.Resampling.BILINEAR))

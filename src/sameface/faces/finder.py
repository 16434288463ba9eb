"""From a photo to the crops of its faces: the one place where a photo is read, searched, a face chosen and cut out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sameface.faces.align import Aligner
from sameface.faces.choose import Choice, as_choice, choose_face, in_reading_order
from sameface.faces.detector import Detector
from sameface.faces.measures import seems_bgr
from sameface.faces.turning import into_turned, scaled, shifted
from sameface.faces.upright import find_upright
from sameface.imaging import ImageSource, Limits, Photo, open_photo
from sameface.types import CropsRGB, Detection, ImageRGB

#: Photos of so many pixels are cut as a whole, all faces at once; of larger ones each face's part.
_SMALL: Final = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """A face and what an encoder takes of it.

    Attributes:
        detection: where the face is, in the photo as it was given.
        crop_rgb: ``(size, size, 3)`` uint8 RGB, upright.
    """

    detection: Detection
    crop_rgb: ImageRGB


class FaceFinder:
    """A detector and an alignment, joined. Safe to use from several threads at once.

    Args:
        detector: finds faces.
        aligner: cuts them out.
        limits: bytes and pixels a photo may have.
        upright: whether faces of turned photos are looked for and turned, see `find_upright`. Without, each photo is taken as it stands.
    """

    def __init__(
        self, detector: Detector, aligner: Aligner, *, limits: Limits | None = None, upright: bool = True
    ) -> None:
        self.detector = detector
        self.aligner = aligner
        self.limits = limits or Limits()
        self.upright = upright

    def find(self, photo: ImageSource | Photo) -> list[Detection]:
        """Every face of a photo, in reading order: rows from the top, each from the left.

        Raises:
            ImageError: the photo cannot be read.
        """
        opened = open_photo(photo, limits=self.limits)
        detections = in_reading_order(self._search(opened))
        if opened.from_array:
            _look_at_colours(opened, self.crops(opened, detections))
        return detections

    def choose(self, photo: ImageSource | Photo, choice: Choice = "only", *, source: str = "") -> Detection:
        """The one face of a photo that is meant.

        Args:
            photo: path, bytes, file object, `PIL.Image`, RGB array, or one that is open.
            choice: see `choose_face`.
            source: what to call the photo in errors, where it has no path of its own.

        Raises:
            SettingError: another choice.
            ImageError: the photo cannot be read.
            NoFaceError, SeveralFacesError, FaceTooSmallError: as the choice says.
        """
        as_choice(choice)
        opened = open_photo(photo, limits=self.limits)
        found, smallest = self._search(opened), self.detector.smallest_in(*opened.size_wh)
        return choose_face(found, opened.size_wh, choice, source=source or opened.source, smallest=smallest)

    def face(self, photo: ImageSource | Photo, choice: Choice = "only", *, source: str = "") -> FaceCrop:
        """`choose`, and the crop of that face."""
        as_choice(choice)
        opened = open_photo(photo, limits=self.limits)
        detection = self.choose(opened, choice, source=source)
        crop = self.crops(opened, [detection])
        _look_at_colours(opened, crop)
        return FaceCrop(detection, crop[0])

    def faces(self, photo: ImageSource | Photo) -> list[FaceCrop]:
        """`find`, and the crop of each face."""
        opened = open_photo(photo, limits=self.limits)
        detections = in_reading_order(self._search(opened))
        crops = self.crops(opened, detections)
        _look_at_colours(opened, crops)
        return [FaceCrop(*pair) for pair in zip(detections, crops, strict=True)]

    def crops(self, photo: ImageSource | Photo, detections: Sequence[Detection]) -> CropsRGB:
        """One upright crop for each face of a photo, in order.

        Args:
            photo: the photo.
            detections: of `find` or `choose`.

        Returns:
            ``(m, size, size, 3)`` uint8 RGB.
        """
        opened = open_photo(photo, limits=self.limits)
        width, height = opened.size_wh
        standing = not any(detection.turns for detection in detections)
        if standing and (width * height <= _SMALL or not detections):
            return self.aligner.align(opened.image_rgb, detections)
        return np.concatenate([self._crop(opened, detection) for detection in detections])

    def _crop(self, photo: Photo, detection: Detection) -> CropsRGB:
        """One crop, made of the part of the photo that it needs."""
        standing = into_turned(detection, photo.size_wh)
        part, (left, top) = photo.part(self.aligner.reach(standing), turns=detection.turns)
        return self.aligner.align(part, [shifted(standing, -left, -top)])

    def _search(self, photo: Photo) -> list[Detection]:
        side, (width, height) = self.detector.search_side, photo.size_wh
        image_rgb = photo.at_most(side) if side is not None else photo.image_rgb
        found = find_upright(self.detector, image_rgb) if self.upright else self.detector.detect(image_rgb)
        rows, columns = image_rgb.shape[:2]
        if (columns, rows) == (width, height):
            return found
        return [scaled(face, width / columns, height / rows) for face in found]


def _look_at_colours(photo: Photo, crops: CropsRGB) -> None:
    """Arrays carry no note of their order of colours; one from OpenCV is most often blue in the face."""
    if photo.from_array and any(seems_bgr(crop) for crop in crops):
        warnings.warn(
            "a face has more blue than red: arrays of OpenCV are BGR, and RGB is wanted. Give image[..., ::-1], or the path of the photo.",
            UserWarning,
            stacklevel=4,
        )

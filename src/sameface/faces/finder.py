"""From a photo to the crops of its faces: the one place where a photo is read, searched, a face chosen and cut out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sameface.faces.align import Aligner
from sameface.faces.choose import Choice, as_choice, choose_face, in_reading_order
from sameface.faces.detector import Detector
from sameface.faces.turning import into_turned, turned
from sameface.faces.upright import find_upright
from sameface.imaging import ImageSource, Limits, load_image
from sameface.imaging.sources import label_of
from sameface.types import CropsRGB, Detection, ImageRGB


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

    def find(self, photo: ImageSource) -> list[Detection]:
        """Every face of a photo, in reading order: rows from the top, each from the left.

        Raises:
            ImageError: the photo cannot be read.
        """
        return in_reading_order(self._search(load_image(photo, limits=self.limits)))

    def choose(self, photo: ImageSource, choice: Choice = "only", *, source: str = "") -> Detection:
        """The one face of a photo that is meant.

        Args:
            photo: path, bytes, file object, `PIL.Image` or RGB array.
            choice: see `choose_face`.
            source: what to call the photo in errors, where it has no path of its own.

        Raises:
            SettingError: another choice.
            ImageError: the photo cannot be read.
            NoFaceError, SeveralFacesError, FaceTooSmallError: as the choice says.
        """
        as_choice(choice)
        image_rgb = load_image(photo, limits=self.limits)
        return choose_face(self._search(image_rgb), image_rgb, choice, source=source or label_of(photo))

    def face(self, photo: ImageSource, choice: Choice = "only", *, source: str = "") -> FaceCrop:
        """`choose`, and the crop of that face."""
        as_choice(choice)
        image_rgb = load_image(photo, limits=self.limits)
        detection = self.choose(image_rgb, choice, source=source or label_of(photo))
        return FaceCrop(detection, self.crops(image_rgb, [detection])[0])

    def faces(self, photo: ImageSource) -> list[FaceCrop]:
        """`find`, and the crop of each face."""
        image_rgb = load_image(photo, limits=self.limits)
        detections = self.find(image_rgb)
        return [FaceCrop(*pair) for pair in zip(detections, self.crops(image_rgb, detections), strict=True)]

    def crops(self, image_rgb: ImageRGB, detections: Sequence[Detection]) -> CropsRGB:
        """One upright crop for each face of a photo, in order.

        Args:
            image_rgb: the photo.
            detections: of `find` or `choose`.

        Returns:
            ``(m, size, size, 3)`` uint8 RGB.
        """
        by_turns = defaultdict(list)
        for place, detection in enumerate(detections):
            by_turns[detection.turns].append(place)
        if not any(by_turns):
            return self.aligner.align(image_rgb, detections)
        size_wh = image_rgb.shape[1], image_rgb.shape[0]
        crops: list[ImageRGB] = [image_rgb] * len(detections)
        for turns, places in by_turns.items():
            faces = [into_turned(detections[place], size_wh) for place in places]
            for place, crop in zip(places, self.aligner.align(turned(image_rgb, turns), faces), strict=True):
                crops[place] = crop
        return np.stack(crops)

    def _search(self, image_rgb: ImageRGB) -> list[Detection]:
        return find_upright(self.detector, image_rgb) if self.upright else self.detector.detect(image_rgb)

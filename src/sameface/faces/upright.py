"""Faces of photos that lie on their side or stand on their head, without an EXIF tag that says so.

A detector that is trained on upright faces sees something in turned ones too, and then puts the eyes where they would be if the face were
upright: what is made of such points is no face, and all of them are alike. What gives them away is how sure the detector is
(docs/decisions/upright.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.faces.detector import Detector
from sameface.faces.suppression import covers
from sameface.faces.turning import out_of_turned, scaled, turned
from sameface.imaging.photo import shrunk
from sameface.types import Detection, ImageRGB

#: The other three orientations are looked at this small: half the photo, between these sides in pixels.
_LEAST_SIDE, _MOST_SIDE = 128, 320
#: Two boxes are of one face when they share this much of their union.
_SAME: Final = 0.3
#: Where nothing was found at first, a turned face counts from so little below `Detector.sure` on: it has no rival, but four looks err four times.
_ALONE: Final = 0.1


def find_upright(detector: Detector, image_rgb: ImageRGB) -> list[Detection]:
    """All faces of a photo, each with the turns that make it upright; most confident first.

    The photo is looked at as it is. Where the largest face is not sure, or none was found, its other orientations are looked at small; when
    one of them shows a face that is surer, the photo is searched in that one. Faces that are sure as they are stay.

    Args:
        detector: says with `Detector.sure` when it needs no second opinion.
        image_rgb: ``(h, w, 3)`` uint8 RGB.

    Returns:
        Boxes and points in the photo as it was given.
    """
    first = detector.detect(image_rgb)
    if _settled(first, detector.sure):
        return first
    settled = [face for face in first if face.confidence >= detector.sure]
    doubtful = [face for face in first if face.confidence < detector.sure]
    least = max((face.confidence for face in doubtful), default=detector.sure - _ALONE)
    turns = _best_turns(detector, image_rgb, doubtful if settled else [], least)
    if not turns:
        return first
    size_wh = image_rgb.shape[1], image_rgb.shape[0]
    again = [out_of_turned(face, turns, size_wh) for face in detector.detect(turned(image_rgb, turns))]
    if not again or again[0].confidence <= least:
        return first
    if settled:
        again = [face for face in again if _beats(face, doubtful) and not _overlap(face, settled)]
        settled += [face for face in doubtful if not _overlap(face, again)]
    return sorted([*settled, *again], key=lambda face: -face.confidence)


def _settled(faces: list[Detection], sure: float) -> bool:
    largest = max(faces, key=lambda face: face.box.area, default=None)
    return sure <= 0 or (largest is not None and largest.confidence >= sure)


def _best_turns(detector: Detector, image_rgb: ImageRGB, places: list[Detection], least: float) -> int:
    """The orientation that shows the surest face, at reduced size; 0 where none is surer than `least`.

    Args:
        places: only faces in the place of one of these count; anywhere where there are none.
    """
    height, width = image_rgb.shape[:2]
    small = shrunk(image_rgb, min(_MOST_SIDE, max(_LEAST_SIDE, max(height, width) // 2)))
    rows, columns = small.shape[:2]
    best, beaten = 0, least
    for turns in (1, 2, 3):
        for face in detector.detect(turned(small, turns)):
            if face.confidence <= beaten:
                break  # they come most confident first
            there = out_of_turned(face, turns, (columns, rows))
            if places and not _overlap(scaled(there, width / columns, height / rows), places):
                continue
            best, beaten = turns, face.confidence
            break
    return best


def _beats(face: Detection, others: list[Detection]) -> bool:
    """Whether a face is in the place of others, and surer than each of those."""
    rivals = [other for other in others if _overlap(face, [other])]
    return bool(rivals) and all(face.confidence > rival.confidence for rival in rivals)


def _overlap(face: Detection, others: list[Detection]) -> bool:
    return bool(covers(_edges([face]), _edges(others), _SAME).any()) if others else False


def _edges(faces: list[Detection]) -> npt.NDArray[np.float32]:
    return np.array([face.box.xyxy for face in faces], dtype=np.float32)

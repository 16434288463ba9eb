"""How good a face is for telling people apart: size, sharpness, light and pose, as one number with its reasons.

The parts and their limits are chosen by what they do to errors: see docs/benchmarks.md, "Quality".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from sameface.faces.turning import shifted
from sameface.imaging import Photo
from sameface.types import Detection, ImageRGB, Landmarks

#: Side to which a face is scaled before its sharpness is measured, so that the measure does not depend on its size.
_MEASURED_SIDE: Final = 96


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """A judgement on one face.

    Attributes:
        value: 0 to 1, the product of the parts' marks.
        reasons: what is wrong, in words; empty for a face without faults.
        side: longer side of the box in pixels.
        sharpness: deviation of the Laplacian of the scaled face over the deviation of its grey levels.
        brightness: mean grey level, 0 to 255.
        contrast: standard deviation of the grey levels.
        turned: 0 from the front to 1 in profile, how far the nose lies from the middle of eyes and mouth; None without points.
    """

    value: float
    reasons: tuple[str, ...]
    side: float
    sharpness: float
    brightness: float
    contrast: float
    turned: float | None


class _Part(NamedTuple):
    """One aspect: what is wrong when it is at fault, and its mark from 0 to 1."""

    reason: str
    mark: float
    at_fault: bool


def judge_face(photo: Photo | ImageRGB, detection: Detection) -> FaceQuality:
    """Judge a face in its photo.

    Args:
        photo: open, or ``(h, w, 3)`` uint8 RGB.
        detection: where the face is; pose is judged where it has the points ``arcface5``.
    """
    box = detection.box
    side = max(box.width, box.height)
    grey = _grey_face(photo if isinstance(photo, Photo) else Photo(photo), detection)
    brightness, contrast = float(grey.mean()), float(grey.std())
    sharpness = float(_laplacian(grey).std()) / max(contrast, 1.0)
    turned = turned_aside(detection.landmarks) if detection.landmarks is not None else None
    parts = (
        _Part(f"too small ({side:.0f} pixels)", _ramp(side, 20, 60), side < 40),
        _Part("blurred", math.sqrt(_ramp(sharpness, 0, 0.4)), sharpness < 0.09),
        _Part(f"too dark (grey level {brightness:.0f})", _ramp(brightness, 15, 60), brightness < 37),
        _Part(f"too bright (grey level {brightness:.0f})", _ramp(255 - brightness, 10, 45), brightness > 227),
        _Part("too little contrast", _ramp(contrast, 4, 22), contrast < 13),
        _Part("turned aside", 1 - 0.6 * (turned or 0.0), (turned or 0.0) > 0.8),
    )
    return FaceQuality(
        value=math.prod(part.mark for part in parts),
        reasons=tuple(part.reason for part in parts if part.at_fault),
        side=side,
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        turned=turned,
    )


def turned_aside(landmarks: Landmarks) -> float | None:
    """How far a face is turned: 0 from the front, 1 when the nose stands over or beyond an eye.

    Args:
        landmarks: five points ``arcface5``; other schemes give None.

    >>> front = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], dtype=np.float32)
    >>> turned_aside(Landmarks("arcface5", front))
    0.0
    >>> turned_aside(Landmarks("arcface5", front + np.array([[0, 0], [0, 0], [10, 0], [0, 0], [0, 0]], dtype=np.float32)))
    0.5
    """
    if landmarks.scheme != "arcface5":
        return None
    points = landmarks.points_xy.astype(np.float64)
    eyes, mouth = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2
    across = points[1] - points[0] + points[4] - points[3]
    width = math.hypot(*across)
    if width == 0:
        return 1.0
    direction = across / width
    # The nose against the line from between the eyes to the middle of the mouth, along the face's own horizontal.
    nose = points[2]
    down = mouth - eyes
    length = float(down @ down)
    share = float((nose - eyes) @ down) / length if length else 0.5
    aside = float((nose - (eyes + share * down)) @ direction)
    return min(1.0, abs(aside) / (float((points[1] - points[0]) @ direction) / 2 or 1.0))


def _grey_face(photo: Photo, detection: Detection) -> npt.NDArray[np.float32]:
    image_rgb, (first_column, first_row) = photo.part(detection.box)
    height, width = image_rgb.shape[:2]
    box = shifted(detection, -first_column, -first_row).box
    left, top = max(0, math.floor(box.x1)), max(0, math.floor(box.y1))
    right, bottom = min(width, math.ceil(box.x2)), min(height, math.ceil(box.y2))
    if right <= left or bottom <= top:
        return np.zeros((3, 3), dtype=np.float32)
    face = Image.fromarray(np.ascontiguousarray(image_rgb[top:bottom, left:right])).convert("L").convert("F")
    scale = _MEASURED_SIDE / max(face.size)
    size = max(3, round(face.width * scale)), max(3, round(face.height * scale))
    return np.asarray(face.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _laplacian(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return np.asarray(around - 4 * grey[1:-1, 1:-1])


def _ramp(value: float, nothing: float, full: float) -> float:
    """0 at `nothing` and below, 1 at `full` and above, straight between."""
    return min(1.0, max(0.0, (value - nothing) / (full - nothing)))

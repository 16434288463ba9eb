"""Photos that were turned, tilted, mirrored, bent or cut."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from sameface.evaluation.disturbances.base import face_of, places
from sameface.types import Detection, ImageRGB


def turned(image_rgb: ImageRGB, face: Detection, degrees: float) -> ImageRGB:
    """By quarter turns, counterclockwise."""
    return np.ascontiguousarray(np.rot90(image_rgb, round(degrees / 90)))


def tilted(image_rgb: ImageRGB, face: Detection, degrees: float) -> ImageRGB:
    """By any angle, counterclockwise; the corners are black."""
    return np.asarray(Image.fromarray(image_rgb).rotate(degrees, Image.Resampling.BILINEAR, expand=True))


def mirrored(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Left for right."""
    return np.ascontiguousarray(image_rgb[:, ::-1])


def half_cut(image_rgb: ImageRGB, face: Detection, side: float) -> ImageRGB:
    """Cut through the middle of the face: 0 and 1 keep the left and the right, 2 and 3 the upper and the lower half."""
    x, y = (round(part) for part in face.box.center_xy)
    height, width = image_rgb.shape[:2]
    x, y = min(max(1, x), width - 1), min(max(1, y), height - 1)
    kept = (image_rgb[:, :x], image_rgb[:, x:], image_rgb[:y], image_rgb[y:])[int(side)]
    return np.ascontiguousarray(kept)


def stretched(image_rgb: ImageRGB, face: Detection, factor: float) -> ImageRGB:
    """Wider or narrower by a factor."""
    height, width = image_rgb.shape[:2]
    return np.asarray(Image.fromarray(image_rgb).resize((max(1, round(width * factor)), height)))


def in_perspective(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    """As seen from the side: the right edge is shorter by a share at either end."""
    height, width = image_rgb.shape[:2]
    near, far = 0.0, share * height
    # Where a pixel of the answer comes from: the eight numbers of a projective map that takes the four corners to a trapezium.
    corners = ((0, near), (width, far), (width, height - far), (0, height - near))
    source = ((0, 0), (width, 0), (width, height), (0, height))
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    terms = tuple(np.linalg.solve(np.array(rows, np.float64), np.array(wanted, np.float64)).tolist())
    picture = Image.fromarray(image_rgb)
    return np.asarray(picture.transform((width, height), Image.Transform.PERSPECTIVE, terms, Image.Resampling.BILINEAR))


def swirled(image_rgb: ImageRGB, face: Detection, degrees: float) -> ImageRGB:
    """Turned by so much in the middle of the face and less and less outward."""
    rows, columns, away = _around(image_rgb, face)
    angle = math.radians(degrees) * np.clip(1 - away / face_of(face.box), 0, 1)
    x, y = face.box.center_xy
    return _sampled(
        image_rgb,
        y + np.sin(angle) * columns + np.cos(angle) * rows,
        x + np.cos(angle) * columns - np.sin(angle) * rows,
    )


def bulged(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """As through a drop of glass over the face: the middle larger (or, below 0, smaller)."""
    rows, columns, away = _around(image_rgb, face)
    factor = np.clip(away / face_of(face.box), 1e-3, 1) ** strength
    x, y = face.box.center_xy
    return _sampled(image_rgb, y + rows * factor, x + columns * factor)


def _around(image_rgb: ImageRGB, face: Detection) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and distance of each pixel from the middle of the face."""
    rows, columns = places(image_rgb)
    x, y = face.box.center_xy
    return rows - y, columns - x, np.hypot(rows - y, columns - x)


def _sampled(image_rgb: ImageRGB, rows: np.ndarray, columns: np.ndarray) -> ImageRGB:
    height, width = image_rgb.shape[:2]
    row = np.clip(np.rint(rows), 0, height - 1).astype(np.intp)
    column = np.clip(np.rint(columns), 0, width - 1).astype(np.intp)
    return np.ascontiguousarray(image_rgb[row, column])

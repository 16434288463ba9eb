"""Photos in bad light: dark, glaring, in fog, half in shadow."""

from __future__ import annotations

import numpy as np

from sameface.evaluation.disturbances.base import as_picture, face_of, places
from sameface.types import Detection, ImageRGB


def lit(image_rgb: ImageRGB, face: Detection, factor: float) -> ImageRGB:
    """So many times the light."""
    return as_picture(image_rgb.astype(np.float32) * factor)


def gamma(image_rgb: ImageRGB, face: Detection, exponent: float) -> ImageRGB:
    """Grey levels, 0 to 1, raised to a power: below 1 brighter, above 1 darker in the middle."""
    table = 255 * (np.arange(256) / 255) ** exponent
    return np.rint(table).astype(np.uint8)[image_rgb]


def flat(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    """That share of the contrast, around the middle grey."""
    return (128 + (image_rgb.astype(np.float32) - 128) * share).astype(np.uint8)


def in_fog(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    """A light grey veil of that share."""
    return as_picture(image_rgb.astype(np.float32) * (1 - share) + 225 * share)


def half_in_shadow(image_rgb: ImageRGB, face: Detection, factor: float) -> ImageRGB:
    """The left half of the face in so much of the light, over a soft edge."""
    return _shaded(image_rgb, places(image_rgb)[1] - face.box.center_xy[0], face, factor)


def under_a_brim(image_rgb: ImageRGB, face: Detection, factor: float) -> ImageRGB:
    """The upper half of the face in so much of the light, as under a hat."""
    return _shaded(image_rgb, places(image_rgb)[0] - face.box.center_xy[1], face, factor)


def in_the_beam(image_rgb: ImageRGB, face: Detection, grey: float) -> ImageRGB:
    """A lamp into the lens, or its mirror image on a pane: a bright spot over one half of the face."""
    rows, columns = places(image_rgb)
    x, y = face.box.center_xy
    size = face_of(face.box)
    away = np.hypot(rows - y + 0.1 * size, columns - x - 0.25 * size) / (0.35 * size)
    return as_picture(image_rgb + (grey * np.exp(-(away**2)))[..., np.newaxis])


def _shaded(image_rgb: ImageRGB, beyond: np.ndarray, face: Detection, factor: float) -> ImageRGB:
    share = 1 / (1 + np.exp(-np.clip(beyond / (0.03 * face_of(face.box)), -50, 50)))
    return as_picture(image_rgb * (factor + (1 - factor) * share)[..., np.newaxis])

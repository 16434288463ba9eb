"""dlib's face chips from points that are known already: by 5 or 68 landmarks, and jittered copies."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from sameface.faces.templates import template_points
from sameface.faces.warp import crop_by, fit_similarity
from sameface.types import CropsRGB, ImageRGB, Landmarks

SIZE: Final = 150  # what the network takes
_PADDING: Final = 0.25

#: Of the 68 points dlib places by those that hold still: bridge and tip of the nose, eyes, mouth without the lower lip.
_STEADY: Final = (*range(27, 55), *range(60, 65))
#: Where those belong, x then y, in units of the face. Source: dlib's get_face_chip_details, the mean face of iBUG's points.
_MEAN_X: Final = (
    *(0.490127, 0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373),
    *(
        0.121737,
        0.187122,
        0.265825,
        0.334606,
        0.260918,
        0.182743,
        0.645647,
        0.714428,
        0.793132,
        0.858516,
        0.79751,
        0.719335,
    ),
    *(0.254149, 0.340985, 0.428858, 0.490127, 0.551395, 0.639268, 0.726104),
    *(0.290379, 0.428096, 0.490127, 0.552157, 0.689874),
)
_MEAN_Y: Final = (
    *(0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326),
    *(
        0.216423,
        0.178758,
        0.179852,
        0.231733,
        0.245099,
        0.244077,
        0.231733,
        0.179852,
        0.178758,
        0.216423,
        0.244077,
        0.245099,
    ),
    *(0.780233, 0.745405, 0.727388, 0.742578, 0.727388, 0.745405, 0.780233),
    *(0.784792, 0.778746, 0.785343, 0.778746, 0.784792),
)

# How far a jittered copy may stray. Source: the ranges that dlib documents for jitter_image.
_TURN: Final = math.radians(3)
_SHIFT: Final = 0.02
_ZOOM: Final = (0.97, 0.99999)
_INSET: Final = 3


def chip(image_rgb: ImageRGB, landmarks: Landmarks) -> ImageRGB:
    """The 150×150 crop that dlib's ResNet takes.

    Args:
        image_rgb: ``(h, w, 3)`` uint8 RGB.
        landmarks: ``dlib5`` or ``dlib68``.
    """
    if landmarks.scheme == "dlib5":
        return crop_by(image_rgb, fit_similarity(template_points("dlib-chip-0.25", SIZE), landmarks.points_xy), SIZE)
    template = SIZE * (_PADDING + np.column_stack([_MEAN_X, _MEAN_Y])) / (2 * _PADDING + 1)
    return crop_by(image_rgb, fit_similarity(template, landmarks.points_xy[list(_STEADY)]), SIZE)


def jittered(crop_rgb: ImageRGB, count: int, rng: np.random.Generator) -> CropsRGB:
    """Copies of a chip, each a little turned, moved, zoomed, and half of them mirrored.

    Returns:
        ``(count, 150, 150, 3)`` uint8.
    """
    copies = np.empty((count, *crop_rgb.shape), dtype=np.uint8)
    picture, side = Image.fromarray(crop_rgb), crop_rgb.shape[0]
    inner = side - 2 * _INSET
    for index in range(count):
        middle = side / 2 + rng.uniform(-_SHIFT, _SHIFT, 2) * inner
        scale = inner / rng.uniform(*_ZOOM) / side
        angle = rng.uniform(-_TURN, _TURN)
        a, b = scale * math.cos(angle), scale * math.sin(angle)
        shift_x = middle[0] - (a - b) * side / 2
        shift_y = middle[1] - (b + a) * side / 2
        moved = picture.transform(
            (side, side), Image.Transform.AFFINE, (a, -b, shift_x, b, a, shift_y), Image.Resampling.BILINEAR
        )
        copies[index] = np.asarray(moved)[:, ::-1] if rng.random() > 0.5 else np.asarray(moved)
    return copies


def mean_encoding(encodings: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The average of several copies' encodings, ``(d,)`` float64."""
    return np.asarray(encodings.astype(np.float64).mean(axis=0))

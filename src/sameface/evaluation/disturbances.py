"""What photos suffer in the field, made on purpose: turned, blurred, small, dark, covered, reduced to a few tones.

A false match rate holds for photos like those it was measured on. These functions make photos that are not, each at stated strengths, so that what a
threshold does on them can be measured. Strengths that are lengths are in pixels of a face that is 100 pixels wide: the same strength means the
same damage to a large face and to a small one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sameface.types import Box, Detection, ImageRGB

#: (photo, the face in it, strength) to the disturbed photo.
Disturb = Callable[[ImageRGB, Detection, float], ImageRGB]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One kind of damage.

    Attributes:
        name: what tables call it.
        strengths: those that are measured, mildest first.
        unit: of a strength, "" where it only counts.
        apply: makes it; the photo given stays as it is.
    """

    name: str
    strengths: tuple[float, ...]
    unit: str
    apply: Disturb


def face_of(box: Box) -> float:
    """Width of a face: the longer side of its box, at least one pixel."""
    return max(1.0, box.width, box.height)


def _turned(image_rgb: ImageRGB, face: Detection, degrees: float) -> ImageRGB:
    return np.ascontiguousarray(np.rot90(image_rgb, round(degrees / 90)))


def _blurred(image_rgb: ImageRGB, face: Detection, sigma: float) -> ImageRGB:
    radius = sigma * face_of(face.box) / 100
    return np.asarray(Image.fromarray(image_rgb).filter(ImageFilter.GaussianBlur(radius)))


def _small(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    return _scaled(image_rgb, pixels / face_of(face.box))


def _scaled(image_rgb: ImageRGB, scale: float) -> ImageRGB:
    height, width = image_rgb.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(
        Image.fromarray(image_rgb).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    )


def _jpeg(image_rgb: ImageRGB, face: Detection, quality: float) -> ImageRGB:
    # Blocks are of 8 pixels whatever the face's size: the face is brought to 100 pixels first.
    scale = min(1.0, 100 / face_of(face.box))
    kept = BytesIO()
    Image.fromarray(_scaled(image_rgb, scale) if scale < 1 else image_rgb).save(kept, "JPEG", quality=round(quality))
    return np.asarray(Image.open(kept))


def _light(image_rgb: ImageRGB, face: Detection, factor: float) -> ImageRGB:
    lit: ImageRGB = np.clip(image_rgb.astype(np.float32) * factor, 0, 255).astype(np.uint8)
    return lit


def _covered(image_rgb: ImageRGB, left: float, top: float, right: float, bottom: float, grey: int) -> ImageRGB:
    picture = Image.fromarray(image_rgb)
    if right > left and bottom > top:
        ImageDraw.Draw(picture).rectangle((left, top, right, bottom), fill=(grey, grey, grey))
    return np.asarray(picture)


def _masked(image_rgb: ImageRGB, face: Detection, grey: float) -> ImageRGB:
    box = face.box
    return _covered(image_rgb, box.x1, box.y1 + 0.55 * box.height, box.x2, box.y2 + 0.05 * box.height, round(grey))


def _sunglasses(image_rgb: ImageRGB, face: Detection, grey: float) -> ImageRGB:
    box = face.box
    top, bottom = box.y1 + 0.25 * box.height, box.y1 + 0.48 * box.height
    return _covered(image_rgb, box.x1, top, box.x2, bottom, round(grey))


def _half_cut(image_rgb: ImageRGB, face: Detection, side: float) -> ImageRGB:
    x, y = (round(part) for part in face.box.center_xy)
    height, width = image_rgb.shape[:2]
    x, y = min(max(1, x), width - 1), min(max(1, y), height - 1)
    kept = (image_rgb[:, :x], image_rgb[:, x:], image_rgb[:y], image_rgb[y:])[int(side)]
    return np.ascontiguousarray(kept)


def _one_bit(image_rgb: ImageRGB, face: Detection, dithered: float) -> ImageRGB:
    grey = Image.fromarray(image_rgb).convert("L")
    level = float(np.asarray(grey).mean())
    bits = grey.convert("1") if dithered else grey.point(lambda value: 255 if value > level else 0)
    return np.asarray(bits.convert("RGB"))


def _posterised(image_rgb: ImageRGB, face: Detection, tones: float) -> ImageRGB:
    steps = tones - 1
    return (np.rint(image_rgb / 255 * steps) * (255 / steps)).astype(np.uint8)


def _moved(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    steps = max(1, round(pixels * face_of(face.box) / 100))
    total = np.zeros(image_rgb.shape, np.float32)
    for step in range(steps):
        total += np.roll(image_rgb, step - steps // 2, axis=1)
    return np.clip(total / steps, 0, 255).astype(np.uint8)


def _noisy(image_rgb: ImageRGB, face: Detection, deviation: float) -> ImageRGB:
    noise = np.random.default_rng(0).normal(0, deviation, image_rgb.shape)
    return np.clip(image_rgb + noise, 0, 255).astype(np.uint8)


def _specked(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    draw = np.random.default_rng(0).random(image_rgb.shape[:2])
    answer = image_rgb.copy()
    answer[draw < share / 2] = 0
    answer[draw > 1 - share / 2] = 255
    return answer


def _mosaic(image_rgb: ImageRGB, face: Detection, cells: float) -> ImageRGB:
    height, width = image_rgb.shape[:2]
    scale = cells / face_of(face.box)
    small = Image.fromarray(_scaled(image_rgb, scale))
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


def _inverted(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    return 255 - image_rgb


def _flat(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    return (128 + (image_rgb.astype(np.float32) - 128) * share).astype(np.uint8)


def _tinted(image_rgb: ImageRGB, face: Detection, channel: float) -> ImageRGB:
    answer = image_rgb.copy()
    answer[..., [index for index in range(3) if index != int(channel)]] //= 5
    return answer


def _stretched(image_rgb: ImageRGB, face: Detection, factor: float) -> ImageRGB:
    height, width = image_rgb.shape[:2]
    return np.asarray(Image.fromarray(image_rgb).resize((max(1, round(width * factor)), height)))


def _striped(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    step = max(2, round(pixels * face_of(face.box) / 100))
    answer = image_rgb.copy()
    for start in range(0, len(answer), 2 * step):
        answer[start : start + step] = 0
    return answer


def _sketched(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    return np.asarray(Image.fromarray(image_rgb).convert("L").filter(ImageFilter.FIND_EDGES).convert("RGB"))


#: What every table shows; from these `calibrate` learns where a threshold holds.
USUAL: Final = (
    Disturbance("turned", (90, 180, 270), "°", _turned),
    Disturbance("blurred", (2, 3, 4, 5, 6), "pixels σ", _blurred),
    Disturbance("small", (40, 30, 24, 18, 14), "pixels", _small),
    Disturbance("JPEG", (20, 15, 10, 5), "quality", _jpeg),
    Disturbance("dark", (0.3, 0.15, 0.08, 0.04), "× light", _light),
    Disturbance("over-exposed", (2, 3, 5, 8), "× light", _light),
    Disturbance("masked", (220, 30), "grey", _masked),
    Disturbance("sunglasses", (10,), "grey", _sunglasses),
    Disturbance("half cut", (0, 1, 2, 3), "", _half_cut),
    Disturbance("one bit", (0, 1), "", _one_bit),
    Disturbance("posterised", (4, 3, 2), "tones", _posterised),
)
#: Of other kinds: nothing is chosen on them, so they show what a limit does on damage that it was not made for.
UNSEEN: Final = (
    Disturbance("moved", (10, 20, 30), "pixels", _moved),
    Disturbance("noisy", (20, 50, 90), "grey levels", _noisy),
    Disturbance("specked", (0.05, 0.2, 0.4), "share", _specked),
    Disturbance("mosaic", (24, 16, 10), "cells", _mosaic),
    Disturbance("inverted", (1,), "", _inverted),
    Disturbance("little contrast", (0.3, 0.1, 0.04), "share", _flat),
    Disturbance("tinted", (0, 1, 2), "channel", _tinted),
    Disturbance("stretched", (0.5, 0.7, 1.4, 2.0), "×", _stretched),
    Disturbance("striped", (3, 8), "pixels", _striped),
    Disturbance("sketched", (1,), "", _sketched),
)

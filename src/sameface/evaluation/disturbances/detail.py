"""Photos that lost detail, or got some that is not theirs: blurred, small, compressed, noisy."""

from __future__ import annotations

import math
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from sameface.evaluation.disturbances.base import as_picture, face_of, scaled
from sameface.types import Detection, ImageRGB


def blurred(image_rgb: ImageRGB, face: Detection, sigma: float) -> ImageRGB:
    """Out of focus."""
    radius = sigma * face_of(face.box) / 100
    return np.asarray(Image.fromarray(image_rgb).filter(ImageFilter.GaussianBlur(radius)))


def moved(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    """The camera moved sideways."""
    steps = max(1, round(pixels * face_of(face.box) / 100))
    total = np.zeros(image_rgb.shape, np.float32)
    for step in range(steps):
        total += np.roll(image_rgb, step - steps // 2, axis=1)
    return as_picture(total / steps)


def moved_aslant(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    """The camera moved down and to the side, by so much in all."""
    steps = max(1, round(pixels * face_of(face.box) / 100 / math.sqrt(2)))
    total = np.zeros(image_rgb.shape, np.float32)
    for step in range(steps):
        total += np.roll(image_rgb, (step - steps // 2, step - steps // 2), axis=(0, 1))
    return as_picture(total / steps)


def small(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    """So few pixels of face."""
    return scaled(image_rgb, pixels / face_of(face.box))


def jpeg(image_rgb: ImageRGB, face: Detection, quality: float) -> ImageRGB:
    """Compressed at a face of 100 pixels, since blocks are of 8 pixels whatever the face's size."""
    scale = min(1.0, 100 / face_of(face.box))
    return compressed(scaled(image_rgb, scale) if scale < 1 else image_rgb, quality)


def small_jpeg(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    """Brought to so few pixels of face, then compressed at quality 30."""
    return compressed(small(image_rgb, face, pixels), 30)


def compressed(image_rgb: ImageRGB, quality: float) -> ImageRGB:
    """What a JPEG of that quality keeps."""
    kept = BytesIO()
    Image.fromarray(image_rgb).save(kept, "JPEG", quality=round(quality))
    return np.asarray(Image.open(kept))


def noisy(image_rgb: ImageRGB, face: Detection, deviation: float) -> ImageRGB:
    """Noise of that deviation in each pixel and colour."""
    return as_picture(image_rgb + np.random.default_rng(0).normal(0, deviation, image_rgb.shape))


def specked(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    """Salt and pepper: that share of the pixels black or white."""
    draw = np.random.default_rng(0).random(image_rgb.shape[:2])
    answer = image_rgb.copy()
    answer[draw < share / 2] = 0
    answer[draw > 1 - share / 2] = 255
    return answer


def mosaic(image_rgb: ImageRGB, face: Detection, cells: float) -> ImageRGB:
    """So many squares across the face."""
    height, width = image_rgb.shape[:2]
    little = Image.fromarray(scaled(image_rgb, cells / face_of(face.box)))
    return np.asarray(little.resize((width, height), Image.Resampling.NEAREST))


def sharpened(image_rgb: ImageRGB, face: Detection, percent: float) -> ImageRGB:
    """Edges raised by an unsharp mask."""
    radius = 2 * face_of(face.box) / 100
    return np.asarray(Image.fromarray(image_rgb).filter(ImageFilter.UnsharpMask(radius, round(percent), 0)))


def interlaced(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    """Every second line of a moment later: shifted sideways."""
    answer = image_rgb.copy()
    answer[1::2] = np.roll(image_rgb[1::2], max(1, round(pixels * face_of(face.box) / 100)), axis=1)
    return answer


def striped(image_rgb: ImageRGB, face: Detection, pixels: float) -> ImageRGB:
    """Black bands as wide as what they leave."""
    step = max(2, round(pixels * face_of(face.box) / 100))
    answer = image_rgb.copy()
    for start in range(0, len(answer), 2 * step):
        answer[start : start + step] = 0
    return answer


def sketched(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Edges only."""
    return np.asarray(Image.fromarray(image_rgb).convert("L").filter(ImageFilter.FIND_EDGES).convert("RGB"))

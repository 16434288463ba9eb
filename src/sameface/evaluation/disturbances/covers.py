"""Faces with something before them: masks, scarves, glasses, hands, text, a moustache that was drawn."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sameface.evaluation.disturbances.base import face_of
from sameface.types import Box, Detection, ImageRGB

Colour = tuple[int, int, int]


def masked(image_rgb: ImageRGB, face: Detection, grey: float) -> ImageRGB:
    """A rectangle over mouth and nose."""
    box = face.box
    return _covered(image_rgb, box.x1, box.y1 + 0.55 * box.height, box.x2, box.y2 + 0.05 * box.height, round(grey))


def sunglasses(image_rgb: ImageRGB, face: Detection, grey: float) -> ImageRGB:
    """A bar over the eyes."""
    box = face.box
    top, bottom = box.y1 + 0.25 * box.height, box.y1 + 0.48 * box.height
    return _covered(image_rgb, box.x1, top, box.x2, bottom, round(grey))


def two_lenses(image_rgb: ImageRGB, face: Detection, light: float) -> ImageRGB:
    """Dark glasses of two lenses that let so much light through, with a frame."""
    eyes, apart = _eyes(face)
    tall, wide = 0.36 * apart, 0.44 * apart
    glass = Image.new("L", _size(image_rgb), 0)
    pen = ImageDraw.Draw(glass)
    for x, y in eyes:
        pen.ellipse((x - wide, y - 0.7 * tall, x + wide, y + 1.3 * tall), fill=255)
    frame = Image.fromarray(
        np.where(np.asarray(glass)[..., np.newaxis] > 0, image_rgb * light, image_rgb).astype(np.uint8)
    )
    (x1, y1), (x2, y2) = eyes
    ImageDraw.Draw(frame).line((x1 + wide, y1, x2 - wide, y2), fill=(25, 20, 20), width=max(1, round(apart / 12)))
    return np.asarray(frame)


def scarf(image_rgb: ImageRGB, face: Detection, kind: float) -> ImageRGB:
    """Cloth from the tip of the nose down, wider than the face: 0 dark stripes, 1 light squares."""
    box, size = face.box, face_of(face.box)
    picture = Image.fromarray(image_rgb)
    outline = Image.new("L", picture.size, 0)
    left, right, top = box.x1 - 0.15 * size, box.x2 + 0.15 * size, box.y1 + 0.58 * box.height
    points = [(left, top + 0.1 * size), ((left + right) / 2, top), (right, top + 0.1 * size)]
    ImageDraw.Draw(outline).polygon([*points, (right, box.y2 + 0.4 * size), (left, box.y2 + 0.4 * size)], fill=255)
    rows, columns = np.indices((picture.height, picture.width))
    step = max(2, round(size / 14))
    bands = (rows + columns // 3) // step % 2 if kind == 0 else (rows // step + columns // step) % 2
    dark, bright = ((90, 20, 30), (40, 15, 40)) if kind == 0 else ((225, 215, 190), (150, 165, 190))
    cloth = np.where(bands[..., np.newaxis] == 0, dark, bright).astype(np.uint8)
    return np.asarray(Image.composite(Image.fromarray(cloth), picture, outline))


def hand_over_the_eyes(image_rgb: ImageRGB, face: Detection, fingers: float) -> ImageRGB:
    """So many fingers across the eyes, in the colour of the cheeks."""
    eyes, apart = _eyes(face)
    skin = _skin(image_rgb, face.box)
    picture = Image.fromarray(image_rgb)
    pen = ImageDraw.Draw(picture)
    y, x = sum(eye[1] for eye in eyes) / 2, sum(eye[0] for eye in eyes) / 2
    thick = 0.3 * apart
    for finger in range(int(fingers)):
        top = y + (finger - fingers / 2) * thick
        shade: Colour = tuple(max(0, value - 12 * (finger % 2)) for value in skin)  # type: ignore[assignment]
        edge: Colour = tuple(round(value * 0.65) for value in skin)  # type: ignore[assignment]
        pen.rounded_rectangle(
            (x - (1.5 + 0.1 * finger) * apart, top, x + 1.15 * apart, top + thick), thick / 2, fill=shade, outline=edge
        )
    return np.asarray(picture)


def hand_over_the_mouth(image_rgb: ImageRGB, face: Detection, strength: float) -> ImageRGB:
    """Four fingers across the mouth."""
    drop = 0.42 * face.box.height
    points = face.landmarks
    lowered = Detection(
        Box(face.box.x1, face.box.y1 + drop, face.box.x2, face.box.y2 + drop), face.confidence, None, face.turns
    )
    if points is None:
        return hand_over_the_eyes(image_rgb, lowered, 4)
    return hand_over_the_eyes(image_rgb, lowered, 3)


def moustache(image_rgb: ImageRGB, face: Detection, thick: float) -> ImageRGB:
    """Drawn with a dark pen between nose and mouth, so many hundredths of the face high."""
    box, size = face.box, face_of(face.box)
    x, y = box.center_xy[0], box.y1 + 0.69 * box.height
    picture = Image.fromarray(image_rgb)
    pen = ImageDraw.Draw(picture)
    tall = thick * size / 100
    for side in (-1, 1):
        pen.polygon(
            [(x, y), (x + side * 0.3 * size, y + 0.6 * tall), (x + side * 0.2 * size, y - tall)], fill=(20, 15, 15)
        )
    pen.ellipse((x - 0.14 * size, y - tall, x + 0.14 * size, y + tall), fill=(20, 15, 15))
    return np.asarray(picture)


def lettered(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    """White text over and over across the photo, laid on with that share."""
    picture = Image.fromarray(image_rgb)
    size = face_of(face.box)
    words = Image.new("L", picture.size, 0)
    pen, font = ImageDraw.Draw(words), ImageFont.load_default(max(8.0, 0.2 * size))
    line = "SAMPLE  COPY  " * max(2, round(picture.width / size) + 2)
    for number, top in enumerate(np.arange(face.box.y1 % (0.3 * size) - 0.3 * size, picture.height, 0.3 * size)):
        pen.text((-0.17 * size * number % size - size, float(top)), line, fill=round(255 * share), font=font)
    return np.asarray(Image.composite(Image.new("RGB", picture.size, (255, 255, 255)), picture, words))


def cap(image_rgb: ImageRGB, face: Detection, share: float) -> ImageRGB:
    """A dark cap down to that share of the face's height."""
    box = face.box
    return _covered(
        image_rgb,
        box.x1 - 0.1 * box.width,
        box.y1 - 0.3 * box.height,
        box.x2 + 0.1 * box.width,
        box.y1 + share * box.height,
        35,
    )


def one_eye(image_rgb: ImageRGB, face: Detection, grey: float) -> ImageRGB:
    """A patch over one eye and cheek."""
    (x, y), _ = _eyes(face)[0]
    _, apart = _eyes(face)
    return _covered(image_rgb, x - 0.6 * apart, y - 0.45 * apart, x + 0.4 * apart, y + 0.5 * apart, round(grey))


def _covered(image_rgb: ImageRGB, left: float, top: float, right: float, bottom: float, grey: int) -> ImageRGB:
    picture = Image.fromarray(image_rgb)
    if right > left and bottom > top:
        ImageDraw.Draw(picture).rectangle((left, top, right, bottom), fill=(grey, grey, grey))
    return np.asarray(picture)


def _eyes(face: Detection) -> tuple[tuple[tuple[float, float], tuple[float, float]], float]:
    """Both eyes, and how far they lie apart; from the box where the detector gives no such points."""
    box = face.box
    if face.landmarks is not None and face.landmarks.scheme == "arcface5":
        (x1, y1), (x2, y2) = face.landmarks.points_xy[:2].tolist()
    else:
        x1, x2 = box.x1 + 0.3 * box.width, box.x1 + 0.7 * box.width
        y1 = y2 = box.y1 + 0.4 * box.height
    apart = max(abs(x2 - x1), 0.25 * face_of(box))
    return ((x1, y1), (x2, y2)), apart


def _skin(image_rgb: ImageRGB, box: Box) -> Colour:
    """The colour of the cheeks."""
    height, width = image_rgb.shape[:2]
    top, bottom = (int(np.clip(box.y1 + part * box.height, 0, height - 1)) for part in (0.55, 0.65))
    left, right = (int(np.clip(box.x1 + part * box.width, 0, width - 1)) for part in (0.2, 0.8))
    red, green, blue = np.median(image_rgb[top : bottom + 1, left : right + 1].reshape(-1, 3), axis=0).tolist()
    return round(red), round(green), round(blue)


def _size(image_rgb: ImageRGB) -> tuple[int, int]:
    return image_rgb.shape[1], image_rgb.shape[0]

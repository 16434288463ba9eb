"""Boxes, names and distances drawn on a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sameface.errors import SettingError
from sameface.types import Box, ImageRGB

#: Blue and orange of Okabe and Ito's palette: told apart by people with any colour vision.
KNOWN_RGB: Final = (0, 114, 178)
UNKNOWN_RGB: Final = (213, 94, 0)
_WHITE: Final = (255, 255, 255)
#: Formats that annotated photos are written in, by ending.
KINDS: Final[Mapping[str, str]] = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


@dataclass(frozen=True, slots=True)
class FaceLabel:
    """What to draw about one face."""

    box: Box
    title: str
    subtitle: str = ""
    known: bool = True


def annotate(image_rgb: ImageRGB, labels: Sequence[FaceLabel]) -> ImageRGB:
    """Draw a frame and a name plate per face; sizes follow the picture's.

    Args:
        image_rgb: ``(h, w, 3)`` uint8 RGB; stays as it is.

    Returns:
        A new ``(h, w, 3)`` uint8 RGB picture.
    """
    from PIL import Image, ImageDraw

    from sameface.imaging.lettering import lettering

    picture = Image.fromarray(image_rgb)
    draw = ImageDraw.Draw(picture)
    for label in labels:
        colour = KNOWN_RGB if label.known else UNKNOWN_RGB
        face = max(label.box.width, label.box.height)
        stroke = max(2, round(face / 45))
        size = float(np.clip(face / 7, 12, max(picture.size) / 22))
        draw.rounded_rectangle(label.box.xyxy, radius=face / 14, outline=colour, width=stroke)
        font, title = lettering(label.title, size)
        text = f"{title}  {label.subtitle}".strip()
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        pad = size * 0.35
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        x = float(np.clip((label.box.x1 + label.box.x2 - width) / 2, 0, max(0, picture.width - width)))
        y = label.box.y2 + stroke
        if y + height > picture.height:
            y = max(0.0, label.box.y1 - height - stroke)
        draw.rounded_rectangle((x, y, x + width, y + height), radius=height / 4, fill=colour)
        draw.text((x + pad - left, y + pad - top), text, font=font, fill=_WHITE)
    return np.asarray(picture)


def picture_kind(path: Path) -> str:
    """The format that a file name asks for.

    Raises:
        SettingError: another ending than those of `KINDS`.
    """
    if path.suffix.lower() not in KINDS:
        raise SettingError(
            expected=f"a picture's name that ends in {', '.join(KINDS)}", got=path.name, advice="use .jpg, for instance"
        )
    return KINDS[path.suffix.lower()]


def write_picture(image_rgb: ImageRGB, path: Path, kind: str) -> None:
    """Write a picture quickly: JPEG and WebP at a quality that shows no loss, PNG lightly compressed.

    Args:
        image_rgb: ``(h, w, 3)`` uint8 RGB.
        path: whatever its ending.
        kind: of `picture_kind`.
    """
    from PIL import Image

    settings: dict[str, int] = {"compress_level": 1} if kind == "PNG" else {"quality": 92}
    Image.fromarray(image_rgb).save(path, format=kind, **settings)

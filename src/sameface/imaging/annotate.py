"""Boxes, names and distances drawn on a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from sameface.errors import SettingError
from sameface.types import Box, ImageRGB

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

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
    """Draw a frame and a name plate per face, in one typeface where one has all letters; sizes follow the picture's.

    Args:
        image_rgb: ``(h, w, 3)`` uint8 RGB; stays as it is.

    Returns:
        A new ``(h, w, 3)`` uint8 RGB picture.
    """
    from PIL import Image, ImageDraw

    from sameface.imaging.lettering import lettering
    from sameface.imaging.placing import crowded, place_plates

    picture = Image.fromarray(image_rgb)
    draw = ImageDraw.Draw(picture)
    titles = [label.title for label in labels]

    def laid_out(subtitles: bool) -> list[_Plate]:
        written = []
        for label in labels:
            size = float(np.clip(_side(label) / 7, 12, max(picture.size) / 22))
            font, title = lettering(label.title, size, among=titles)
            text = f"{title}  {label.subtitle if subtitles else ''}".strip()
            written.append((text, font, size, draw.textbbox((0, 0), text, font=font)))
        sizes = [
            (right - left + 0.7 * size, bottom - top + 0.7 * size) for _, _, size, (left, top, right, bottom) in written
        ]
        gap = max((_stroke(label) for label in labels), default=0)
        places = place_plates([label.box for label in labels], sizes, picture.size, gap)
        return [
            _Plate(place, text, font, (place.x1 + 0.35 * size - left, place.y1 + 0.35 * size - top))
            for place, (text, font, size, (left, top, _, _)) in zip(places, written, strict=True)
        ]

    plates = laid_out(subtitles=True)
    if crowded([plate.place for plate in plates], [label.box for label in labels]):
        plates = laid_out(subtitles=False)  # rather the names alone than names over names
    for label, plate in zip(labels, plates, strict=True):  # frames first: none goes through a name
        draw.rounded_rectangle(label.box.xyxy, radius=_side(label) / 14, outline=_colour(label), width=_stroke(label))
        _lead(draw, label, plate.place)
    for label, plate in zip(labels, plates, strict=True):
        draw.rounded_rectangle(plate.place.xyxy, radius=plate.place.height / 4, fill=_colour(label))
        draw.text(plate.at_xy, plate.text, font=plate.font, fill=_WHITE)
    return np.asarray(picture)


class _Plate(NamedTuple):
    """A name plate: where it lies, what is written on it, and where that begins."""

    place: Box
    text: str
    font: FreeTypeFont | ImageFont
    at_xy: tuple[float, float]


def _lead(draw: ImageDraw.ImageDraw, label: FaceLabel, plate: Box) -> None:
    """A line from a face to a plate that does not lie at it."""
    box, middle = label.box, plate.center_xy
    x = float(np.clip(middle[0], box.x1, box.x2))
    y = float(np.clip(middle[1], box.y1, box.y2))
    if max(abs(x - np.clip(x, plate.x1, plate.x2)), abs(y - np.clip(y, plate.y1, plate.y2))) > plate.height:
        draw.line((x, y, *middle), fill=_colour(label), width=_stroke(label))


def _side(label: FaceLabel) -> float:
    return max(label.box.width, label.box.height)


def _stroke(label: FaceLabel) -> int:
    return max(2, round(_side(label) / 45))


def _colour(label: FaceLabel) -> tuple[int, int, int]:
    return KNOWN_RGB if label.known else UNKNOWN_RGB


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

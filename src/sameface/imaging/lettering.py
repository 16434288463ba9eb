"""The letters that a name is drawn in: a font that has all of them.

Pillow's own font knows plain English letters only, and draws an empty box for each other one. So a name that it cannot write is drawn in a part
of DejaVu Sans that comes along (Latin with all accents, Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian), else in a font of the system
(Chinese, Japanese, Korean, Indian scripts).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

_SHIPPED: Final = Path(__file__).parent / "fonts" / "DejaVuSans-names.ttf"
#: Fonts of Linux, macOS and Windows for other scripts; Pillow looks for them where each system keeps its fonts.
_OF_SYSTEMS: Final = (
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "FreeSans.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "Nirmala.ttf",
)
#: No font has a glyph for it: what is drawn instead is what a font draws for each character that it lacks.
_NOWHERE: Final = "\U0010fffe"


def lettering(text: str, size: float) -> tuple[FreeTypeFont | ImageFont, str]:
    """The first font that has every character of a text, and the text to draw.

    Args:
        size: in pixels.

    Returns:
        The font, and the text without signs that no font has (an emoji, say); a letter that none has is a question mark.
    """
    shown = text
    for font in _fonts(size):
        lacking = _lacking(shown, font)
        if not lacking:
            return font, shown
        # Signs are decoration: a name does not need another font for them.
        decoration = {sign for sign in lacking if not _is_letter(sign)}
        if lacking == decoration:
            return font, _without(shown, decoration)
    font = _shipped(size)
    lacking = _lacking(shown, font)
    kept = _without(shown, {sign for sign in lacking if not _is_letter(sign)})
    return font, "".join("?" if sign in lacking else sign for sign in kept)


def _fonts(size: float) -> Iterator[FreeTypeFont | ImageFont]:
    from PIL import ImageFont

    yield ImageFont.load_default(size)
    yield _shipped(size)
    for name in _OF_SYSTEMS:
        try:
            yield ImageFont.truetype(name, size)
        except OSError:  # not on this machine
            continue


@lru_cache(maxsize=16)
def _shipped(size: float) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(_SHIPPED, size)


def _lacking(text: str, font: FreeTypeFont | ImageFont) -> set[str]:
    """The characters of a text that a font draws as it draws what it lacks."""
    missing = _picture(font, _NOWHERE)
    return {sign for sign in set(text) if not sign.isspace() and _picture(font, sign) == missing}


def _picture(font: FreeTypeFont | ImageFont, sign: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(sign)
    return mask.size, bytes(mask)


def _is_letter(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind[0] in "LN" or kind == "Mc" or unicodedata.combining(sign) != 0


def _without(text: str, signs: set[str]) -> str:
    return "".join(sign for sign in text if sign not in signs).strip() if signs else text

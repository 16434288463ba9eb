"""The letters that a name is drawn in: a font that has all of them.

Pillow's own font knows plain English letters only, and draws an empty box for each other one. So a name that it cannot write is drawn in a font of
the system, or in the one that matplotlib brings. Where none has its letters the accents go, and what is left is a question mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

#: Fonts of Linux, macOS and Windows: European letters, Hebrew and Arabic first, then other scripts. Pillow looks where each system keeps them.
_OF_SYSTEMS: Final = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "Helvetica.ttc",
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


def lettering(text: str, size: float, *, among: Iterable[str] = ()) -> tuple[FreeTypeFont | ImageFont, str]:
    """The first font that has every letter of a text, and the text to draw.

    Args:
        size: in pixels.
        among: other texts of the same picture: a font that has their letters too is taken before others, so that all look alike.

    Returns:
        The font, and the text without signs that no font has (an emoji, say); letters that none has lose their accents, or are question marks.
    """
    others = "".join(dict.fromkeys("".join(among)))
    of_all = (font for font in _fonts(size) if _has_letters(others, font)) if others else ()
    for font in chain(of_all, _fonts(size)):
        lacking = _lacking(text, font)
        # Signs are decoration: a name does not need another font for them.
        if not any(map(_is_letter, lacking)):
            return font, _without(text, lacking)
    font = next(_fonts(size))
    lacking = _lacking(text, font)
    plain = "".join(_plain(sign, font) if sign in lacking else sign for sign in text)
    return font, plain.strip()


def _fonts(size: float) -> Iterator[FreeTypeFont | ImageFont]:
    from PIL import ImageFont

    yield ImageFont.load_default(size)
    for name in (*_OF_SYSTEMS, *_of_matplotlib()):
        try:
            yield ImageFont.truetype(name, size)
        except OSError:  # not on this machine
            continue


def _of_matplotlib() -> Iterator[str]:
    """Its font, without importing it."""
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        yield str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


def _lacking(text: str, font: FreeTypeFont | ImageFont) -> set[str]:
    """The characters of a text that a font draws as it draws what it lacks."""
    missing = _picture(font, _NOWHERE)
    return {sign for sign in set(text) if not sign.isspace() and _picture(font, sign) == missing}


def _has_letters(text: str, font: FreeTypeFont | ImageFont) -> bool:
    return not any(map(_is_letter, _lacking(text, font)))


def _picture(font: FreeTypeFont | ImageFont, sign: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(sign)
    return mask.size, bytes(mask)


def _is_letter(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind[0] in "LN" or kind == "Mc" or unicodedata.combining(sign) != 0


def _plain(sign: str, font: FreeTypeFont | ImageFont) -> str:
    """A letter without its accent, a question mark for one that has none to lose, nothing for a sign."""
    if not _is_letter(sign):
        return ""
    bare = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    return bare if bare and not _lacking(bare, font) else "?" * bool(bare)


def _without(text: str, signs: set[str]) -> str:
    return "".join(sign for sign in text if sign not in signs).strip() if signs else text

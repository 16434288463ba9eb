"""The letters that a name is drawn in: a font that has all of them.

Pillow's own font knows plain English letters only, and draws an empty box for each other one. So a name that it cannot write is drawn in a font of
the system, or in the one that matplotlib brings. Where none has its letters the accents go, and what is left is a question mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
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
#: Pillow's own, which is in no file.
_PILLOWS: Final = ""
#: The size at which fonts are asked which letters they have, in pixels.
_LOOKED_AT: Final = 20.0
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
    of_all = (name for name in _names() if not any(map(_is_letter, _lacking(others, name)))) if others else ()
    for name in chain(of_all, _names()):
        lacking = _lacking(text, name)
        # Signs are decoration: a name does not need another font for them.
        if not any(map(_is_letter, lacking)):
            return _font(name, size), _without(text, lacking)
    lacking = _lacking(text, _PILLOWS)
    plain = "".join(_plain(sign) if sign in lacking else sign for sign in text)
    return _font(_PILLOWS, size), plain.strip()


def _names() -> Iterator[str]:
    """The fonts that this machine has, in the order in which they are tried."""
    yield _PILLOWS
    for name in (*_OF_SYSTEMS, *_of_matplotlib()):
        try:
            _font(name, _LOOKED_AT)
        except OSError:  # not on this machine
            continue
        yield name


@lru_cache(maxsize=64)
def _font(name: str, size: float) -> FreeTypeFont | ImageFont:
    """A font at a size. Raises OSError: it is not on this machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size) if name == _PILLOWS else ImageFont.truetype(name, size)


def _of_matplotlib() -> Iterator[str]:
    """Its font, without importing it."""
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        yield str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


def _lacking(text: str, name: str) -> set[str]:
    """The characters of a text that a font draws as it draws what it lacks."""
    return {sign for sign in set(text) if not sign.isspace() and _lacks(name, sign)}


@lru_cache(maxsize=4096)
def _lacks(name: str, sign: str) -> bool:
    font = _font(name, _LOOKED_AT)
    return _picture(font, sign) == _picture(font, _NOWHERE)


def _picture(font: FreeTypeFont | ImageFont, sign: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(sign)
    return mask.size, bytes(mask)


def _is_letter(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind[0] in "LN" or kind == "Mc" or unicodedata.combining(sign) != 0


def _plain(sign: str) -> str:
    """For Pillow's own font: a letter without its accent, a question mark for one that has none to lose, nothing for a sign."""
    if not _is_letter(sign):
        return ""
    bare = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    return bare if bare and not _lacking(bare, _PILLOWS) else "?" * bool(bare)


def _without(text: str, signs: set[str]) -> str:
    return "".join(sign for sign in text if sign not in signs).strip() if signs else text

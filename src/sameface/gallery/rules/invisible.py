"""What nobody can see in a name: marks that only a program tells apart, so that "Ada" is one person."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt): drawn as nothing, marks of direction among them; and interlinear annotations.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: Spaces of all widths (category Zs), and the two characters that are as blank.
_BLANKS: Final = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800\u3164\uffa0]+")
#: A black flag spelled out to that of a region, such as Scotland's.
_FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_KEYCAP: Final = "\u20e3"


def visible(text: str) -> str:
    """A text without what cannot be seen in it: outer blanks, runs of blanks beyond one space, marks of direction and of zero width.

    Kept are those that are seen by what they do: the joiners of emoji and, where the script needs them, of Persian or Indic words; variants of Han
    characters and of emoji; flags of regions.

    >>> visible(" Ada\\u200b  Lovelace\\ufeff ")
    'Ada Lovelace'
    >>> visible("\\u202eAda") == "Ada", visible("👩\\u200d🚀") == "👩\\u200d🚀"
    (True, True)
    """
    if text.isascii() and "  " not in text:  # a bulk import has a million names
        return text.strip(" ")
    text = _BLANKS.sub(" ", text).strip(" ")
    if text.isascii() or not _INVISIBLE.search(text):
        return text
    flags = {place for found in _FLAG.finditer(text) for place in range(*found.span())}
    kept = [
        character
        for place, character in enumerate(text)
        if place in flags or not _INVISIBLE.match(character) or _is_seen(text, place)
    ]
    return _BLANKS.sub(" ", "".join(kept)).strip(" ")


def _is_seen(text: str, place: int) -> bool:
    """Whether an invisible character changes how its neighbours look."""
    if not place > 0:
        return False
    character, before, after = text[place], text[place - 1], text[place + 1 : place + 2]
    if character == _JOINER and _is_emoji(before) and after and unicodedata.category(after) in ("So", "Sm"):
        return True
    if character in (_JOINER, _NON_JOINER):
        from idna.core import valid_contextj  # RFC 5892, appendix A: where scripts need a joiner

        return bool(valid_contextj(text, place))
    if character in "\ufe0e\ufe0f":
        return unicodedata.category(before) in ("So", "Sm") or before in "\u203c\u2049" or after == _KEYCAP
    if "\ufe00" <= character <= "\ufe0d" or character >= "\U000e0100":
        return unicodedata.category(before) == "Lo" and not _INVISIBLE.match(before)
    return "\u180b" <= character <= "\u180d" and unicodedata.name(before, "").startswith("MONGOLIAN LETTER")


def _is_emoji(character: str) -> bool:
    """Whether a character may stand before the joiner of an emoji: a picture, its variant, or a colour of skin."""
    return unicodedata.category(character) == "So" or character == "\ufe0f" or "\U0001f3fb" <= character <= "\U0001f3ff"

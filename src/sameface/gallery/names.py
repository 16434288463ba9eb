"""What may be a name, a group, a detail: checked before anything is stored."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from sameface.errors import PersonNameError, SettingError

LONGEST_NAME: Final = 200
LONGEST_DETAIL: Final = 10_000


def clean_name(name: str, what: str = "a name") -> str:
    """A name as it is stored: Unicode NFC, so that an é typed in two ways is one person.

    Names are data and never paths: slashes, dots and emoji are fine.

    Raises:
        PersonNameError: not text, empty, blank, over 200 characters, with control characters or half a surrogate pair.

    >>> clean_name("Ren\\u0065\\u0301") == "Ren\\u00e9"
    True
    """
    if not isinstance(name, str):
        raise PersonNameError(expected=f"{what} as text", got=type(name).__name__, advice="give a str")
    cleaned = unicodedata.normalize("NFC", name)
    if not cleaned.strip():
        raise PersonNameError(
            expected=f"{what} of 1 to {LONGEST_NAME} characters", got="an empty one", advice="give a name"
        )
    if len(cleaned) > LONGEST_NAME:
        raise PersonNameError(
            expected=f"{what} of 1 to {LONGEST_NAME} characters",
            got=f"{len(cleaned)} characters",
            advice="shorten it; put the rest in the details",
        )
    # ASCII letters need no look at each character's category; a bulk import has a million names.
    if not (cleaned.isascii() and cleaned.isprintable()):
        for place, character in enumerate(cleaned):
            if unicodedata.category(character) in ("Cc", "Cs"):
                raise PersonNameError(
                    expected=f"{what} without control characters",
                    got=f"U+{ord(character):04X} at place {place}",
                    advice="remove line breaks, tabs and the like",
                )
    return cleaned


def clean_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """Groups as they are stored: each once, sorted.

    >>> clean_groups(["staff", "night", "staff"])
    ('night', 'staff')
    """
    if isinstance(groups, str):
        raise SettingError(expected="a list of groups", got="one text", advice="put it in a list")
    return tuple(sorted({clean_name(group, "a group") for group in groups})) if groups else ()


def clean_details(details: Mapping[str, str]) -> dict[str, str]:
    """Details as they are stored: text by text.

    Raises:
        SettingError: a key or value that is not text, or too long.
    """
    for key, value in details.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise SettingError(
                expected="details as text by text",
                got=f"{type(value).__name__} for {key!r}",
                advice="turn the value into a str",
            )
        if len(key) > LONGEST_NAME or len(value) > LONGEST_DETAIL:
            raise SettingError(
                expected=f"details of at most {LONGEST_DETAIL} characters",
                got=f"{len(value)} for {key[:40]!r}",
                advice="store long texts elsewhere",
            )
        try:
            (key + value).encode()
        except UnicodeEncodeError:
            raise SettingError(
                expected="details in valid Unicode", got="half a surrogate pair", advice="decode the text rightly"
            ) from None
    return dict(details)


def details_json(details: Mapping[str, str]) -> str:
    """Details as they are stored."""
    return json.dumps(clean_details(details), ensure_ascii=False, sort_keys=True) if details else "{}"

"""What may be a name, a group, a detail, an id: checked before anything is stored, for every backend in this one place."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sameface.errors import PersonNameError, SettingError
from sameface.files import path_as_text
from sameface.gallery.rules.invisible import visible
from sameface.types import Template

#: Characters of a name, a group or the key of a detail.
LONGEST_NAME: Final = 200
#: Characters of one detail.
LONGEST_DETAIL: Final = 10_000
#: Details of a person: how many, and bytes of all of them as JSON. Lists of people carry them along.
MOST_DETAILS: Final = 100
DETAILS_BYTES: Final = 64 * 1024
#: Groups of a person.
MOST_GROUPS: Final = 100
#: Characters of where a photo lay: the longest path of Linux.
LONGEST_SOURCE: Final = 4096
_ID: Final = re.compile(r"[0-9a-f]{32}")
_SHA256: Final = re.compile(r"(?:[0-9a-f]{64})?")
_LONGEST_MOMENT: Final = 40


def clean_name(name: str, what: str = "a name") -> str:
    """A name as it is stored: Unicode NFC, so that an é typed in two ways is one person, and without what cannot be seen (see `visible`).

    Names are data and never paths: slashes, dots and emoji are fine.

    Raises:
        PersonNameError: not text, empty, blank, over 200 characters, with control characters or half a surrogate pair.

    >>> clean_name("Ren\\u0065\\u0301") == "Ren\\u00e9", clean_name(" Ada\\u200b") == "Ada"
    (True, True)
    """
    if not isinstance(name, str):
        raise PersonNameError(expected=f"{what} as text", got=type(name).__name__, advice="give a str")
    cleaned = unicodedata.normalize("NFC", visible(name))
    if not cleaned:
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
            if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
                raise PersonNameError(
                    expected=f"{what} without control characters",
                    got=f"U+{ord(character):04X} at place {place}",
                    advice="remove line breaks, tabs and the like",
                )
    return cleaned


def clean_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """Groups as they are stored: each once, sorted.

    Raises:
        SettingError: one text instead of a list, or over 100 groups.
        PersonNameError: a group that is no name.

    >>> clean_groups(["staff", "night", "staff"])
    ('night', 'staff')
    """
    if not groups:
        return ()
    if isinstance(groups, str):
        raise SettingError(expected="a list of groups", got="one text", advice="put it in a list")
    found = tuple(sorted({clean_name(group, "a group") for group in groups}))
    if len(found) > MOST_GROUPS:
        raise SettingError(
            expected=f"at most {MOST_GROUPS} groups for a person", got=str(len(found)), advice="take some away"
        )
    return found


def clean_details(details: Mapping[str, str]) -> dict[str, str]:
    """Details as they are stored: text by text.

    Raises:
        SettingError: a key or value that is not text or too long, too many of them, or too much in all.
    """
    if not details:
        return {}
    if not isinstance(details, Mapping):
        raise SettingError(expected="details as text by text", got=type(details).__name__, advice="give a dict")
    if len(details) > MOST_DETAILS:
        raise SettingError(
            expected=f"at most {MOST_DETAILS} details for a person", got=str(len(details)), advice="take some away"
        )
    for key, value in details.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise SettingError(
                expected="details as text by text",
                got=f"{type(value).__name__} for {str(key)[:40]!r}",
                advice="turn the value into a str",
            )
        if len(key) > LONGEST_NAME or len(value) > LONGEST_DETAIL:
            raise SettingError(
                expected=f"details of at most {LONGEST_DETAIL} characters, under keys of at most {LONGEST_NAME}",
                got=f"{len(value)} for {key[:40]!r}",
                advice="store long texts elsewhere",
            )
    try:
        size = len(details_json(details).encode())
    except UnicodeEncodeError:
        raise SettingError(
            expected="details in valid Unicode", got="half a surrogate pair", advice="decode the text rightly"
        ) from None
    if size > DETAILS_BYTES:
        raise SettingError(
            expected=f"at most {DETAILS_BYTES} bytes of details for a person",
            got=str(size),
            advice="store long texts elsewhere",
        )
    return dict(details)


def details_json(details: Mapping[str, str]) -> str:
    """Clean details as the text that is stored."""
    return json.dumps(dict(details), ensure_ascii=False, sort_keys=True) if details else "{}"


def is_id(text: object) -> bool:
    """Whether a text has the form of a person's id: 32 hex digits, the letters small.

    >>> is_id("5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"), is_id("Ada")
    (True, False)
    """
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def clean_id(text: str) -> str:
    """A person's id that comes from elsewhere. Raises SettingError."""
    if not is_id(text):
        raise SettingError(
            expected="a person's id of 32 hex digits",
            got=repr(text)[:80],
            advice="leave it out: a new one is made",
        )
    return text


def clean_moment(text: str) -> str:
    """A moment that comes from elsewhere, ISO 8601. Raises SettingError.

    >>> clean_moment("2026-11-26T04:00:00+00:00")
    '2026-11-26T04:00:00+00:00'
    """
    try:
        if not isinstance(text, str) or len(text) > _LONGEST_MOMENT:
            raise ValueError
        datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(
            expected="a moment by ISO 8601", got=repr(text)[:80], advice="write it like 2026-11-26T04:00:00+00:00"
        ) from None
    return text


def clean_source(template: Template) -> str:
    """Where a template came from, as it is stored; all that a template has besides its vector is checked.

    A path that is not valid Unicode is kept as `path_as_text` spells it.

    Raises:
        SettingError: a source that is too long or holds a zero character, a sha256 that is none, or a box or quality that is no number.
    """
    source, digest, box, quality = template.source, template.source_sha256, template.box, template.quality
    if not isinstance(source, str) or len(source) > LONGEST_SOURCE or "\0" in source:
        raise _odd(f"a source of at most {LONGEST_SOURCE} characters, none of them zero", source)
    if not isinstance(digest, str) or _SHA256.fullmatch(digest) is None:
        raise _odd("a sha256 of 64 hex digits", digest)
    if box is not None and not all(_is_finite(side) for side in box.xyxy):
        raise _odd("a box of four finite numbers", box)
    if quality is not None and not (_is_finite(quality) and 0 <= quality <= 1):
        raise _odd("a quality of 0 to 1", quality)
    if template.added:
        clean_moment(template.added)
    try:
        source.encode()
    except UnicodeEncodeError:
        return path_as_text(source)
    return source


def _is_finite(value: object) -> bool:
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        return False


def _odd(expected: str, got: object) -> SettingError:
    return SettingError(expected=expected, got=repr(got)[:80], advice="correct it, or leave it out")

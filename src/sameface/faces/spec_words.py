"""The words of a detector's id: how one setting is written and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

#: A number as an id has it, as a regular expression.
NUMBER: Final = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"


class Word(NamedTuple):
    """How one setting stands in an id.

    Attributes:
        field: the setting.
        pattern: what its word looks like, as a regular expression.
        read, write: from the word to the value and back.
        always: whether the usual value is written too.
    """

    field: str
    pattern: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    always: bool = False


def number_word(prefix: str, field: str, kind: type[int] | type[float], *, always: bool = False) -> Word:
    """The word of a setting that is a number: a prefix, and the number."""
    pattern = r"\d+" if kind is int else NUMBER
    return Word(
        field,
        prefix + pattern,
        lambda word: kind(word.removeprefix(prefix)),
        # A million pixels are no "1e+06", which no word of pixels is.
        lambda value: prefix + (str(int(value)) if kind is int else shortest(value)),
        always,
    )


def shortest(value: float) -> str:
    """A number so that it reads back the same; as ids have always had it where that does.

    >>> shortest(0.6), shortest(1.0), shortest(0.123456789)
    ('0.6', '1', '0.123456789')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(value)

"""Lists a page at a time. A page begins after a place in the order of enrolment, which nobody else ever gets."""

from __future__ import annotations

import unicodedata
from typing import Final

from sameface.errors import SettingError
from sameface.gallery.store import Page, Transaction

LONGEST_PAGE: Final = 10_000
#: The largest number that a person or a template can have.
LAST: Final = 2**63 - 1


def page_of(transaction: Transaction, group: str | None, part: str, start: int, limit: int) -> Page:
    """The people after a place.

    Args:
        group: only people of this group, None for everybody.
        part: only people with this in their name, case-folded; "" for everybody. Names are looked at one after the other: case folds alike in
            every backend only in Python.
        start: the number of the last one of the page before, 0 for the first page.
        limit: at most so many.
    """
    if part:
        total, numbers = 0, list[int]()
        for number, name in transaction.names(group):
            if part in folded(name):
                total += 1
                if number > start and len(numbers) <= limit:
                    numbers.append(number)
        found = transaction.numbered(numbers)
    else:
        total, found = transaction.count_people(group), transaction.listed(group, start, limit + 1)
    shown = found[:limit]
    following = str(shown[-1][0]) if len(found) > limit else ""
    return Page(tuple(person for _, person in shown), following, total)


def folded(text: str) -> str:
    """A text to be looked for in any case, however its accents were typed.

    >>> folded("E\\u0301mile") == folded("\\u00c9MILE")
    True
    """
    return unicodedata.normalize("NFC", text).casefold()


def number_of(after: str) -> int:
    """The place that `Page.next` names. Raises SettingError."""
    if not after:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) < 20 and int(after) <= LAST):
        raise SettingError(expected="where a page begins", got=repr(after[:40]), advice="use `next` of the page before")
    return int(after)

"""Moments and spans of time, as they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def span_of(text: str) -> timedelta:
    """A span of time in days, hours or minutes.

    Raises:
        SettingError: anything else.

    >>> span_of("7d"), span_of("90m")
    (datetime.timedelta(days=7), datetime.timedelta(seconds=5400))
    """
    from datetime import timedelta

    from sameface.errors import SettingError

    number, unit = text[:-1], text[-1:]
    if unit not in ("d", "h", "m") or not (number.isascii() and number.isdigit()) or len(number) > 6:
        raise SettingError(expected="a span of time like 24h or 7d", got=repr(text), advice="give one")
    return int(number) * {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}[unit]


def moment_of(text: str) -> datetime:
    """A moment: in some days or hours, or a date, whose end counts.

    Raises:
        SettingError: anything else, or a moment that is over.
    """
    from datetime import UTC, datetime, timedelta

    from sameface.errors import SettingError

    now = datetime.now(UTC)
    if "-" in text:
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        except ValueError:
            raise SettingError(expected="a date like 2027-12-31", got=repr(text), advice="give one") from None
    else:
        moment = now + span_of(text)
    if moment <= now:
        raise SettingError(expected="a moment to come", got=repr(text), advice="give a later one")
    return moment


def end_of(text: str) -> str:
    """A moment to come as a text, "" for none: ``never`` or nothing. Raises SettingError."""
    return "" if text in ("", "never") else moment_of(text).isoformat(timespec="seconds")

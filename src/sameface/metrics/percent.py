"""Rates as people read them: in percent, without the unit, a dash where nothing was measured."""

from __future__ import annotations

from sameface.types import Interval


def percent(value: float | None, interval: Interval | None = None, *, digits: int = 2) -> str:
    """A rate, and its interval in brackets where it has one.

    >>> percent(0.98765), percent(None), percent(0.5, Interval(0.25, 0.75), digits=1), percent(-1e-7)
    ('98.77', '–', '50.0 [25.0, 75.0]', '0.00')
    """
    if value is None or value != value:
        return "–"
    text = _fixed(value, digits)
    return text if interval is None else f"{text} [{percent_range(interval, digits=digits, between=', ')}]"


def percent_range(interval: Interval | None, *, digits: int = 2, between: str = " – ") -> str:
    """An interval alone, empty where there is none.

    >>> percent_range(Interval(0.01, 0.99)), percent_range(None)
    ('1.00 – 99.00', '')
    """
    if interval is None:
        return ""
    return f"{_fixed(interval.low, digits)}{between}{_fixed(interval.high, digits)}"


def percent_spread(mean: float, spread: float, *, digits: int = 2) -> str:
    """A mean and its standard error or deviation.

    >>> percent_spread(0.9912, 0.0031)
    '99.12 ± 0.31'
    """
    return f"{100 * mean:.{digits}f} ± {100 * spread:.{digits}f}"


def _fixed(value: float, digits: int) -> str:
    return f"{round(100 * value, digits) + 0.0:.{digits}f}"  # what rounds to −0 is 0

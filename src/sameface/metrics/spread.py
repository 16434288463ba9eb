"""How far groups lie apart, as one number: the largest rate minus the smallest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

from sameface.errors import NotEnoughDataError
from sameface.types import Interval

METHOD = "square and add"


def spread(
    rates: Sequence[float], bounds: Sequence[tuple[float, float]], level: float = 0.95
) -> tuple[float, Interval]:
    """The largest difference between two groups, and an interval for it.

    The largest of several differences is above 0 even where all groups are alike, so an interval around it alone would be wrong. Here every two
    groups get an interval of their difference, all of them together at `level`; the largest difference lies between the highest of their lower
    bounds (0 at least) and the highest of their upper bounds. Two intervals make one of their difference by squaring and adding.

    Args:
        rates: one of each group, two groups or more that show different people.
        bounds: low and high of each rate, at ``1 − (1 − level) / pairs of groups``, see `level_of_each`.
        level: of the result.

    Raises:
        NotEnoughDataError: fewer than two groups.

    Source: Newcombe 1998 (method 10); Zou and Donner 2008, "Construction of confidence limits about effect measures"; Bonferroni's inequality for
    all pairs at once.

    >>> value, interval = spread([0.03, 0.01], [(0.02, 0.05), (0.0, 0.02)])
    >>> round(value, 4), round(interval.low, 4), round(interval.high, 4)  # 0.02 - √(0.01² + 0.01²), 0.02 + √(0.02² + 0.01²)
    (0.02, 0.0059, 0.0424)
    """
    if len(rates) < 2:
        raise NotEnoughDataError(
            expected="two groups or more", got=str(len(rates)), advice="label more groups, or give more photos"
        )
    lows, highs = [0.0], [0.0]
    for (one, (low, high)), (other, (other_low, other_high)) in permutations(zip(rates, bounds, strict=True), 2):
        lows.append(one - other - math.hypot(one - low, other_high - other))
        highs.append(one - other + math.hypot(high - one, other - other_low))
    return max(rates) - min(rates), Interval(max(lows), min(1.0, max(highs)), level, METHOD)


def level_of_each(groups: int, level: float = 0.95) -> float:
    """The level that each group's interval must have, so that all differences hold together.

    >>> round(level_of_each(4), 4)
    0.9917
    """
    return 1 - (1 - level) / max(1, groups * (groups - 1) // 2)

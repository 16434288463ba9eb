"""Exact intervals for rates of independent trials, and how many trials a claim needs."""

from __future__ import annotations

import math
import sys
from typing import Final

from sameface.errors import SettingError
from sameface.metrics.extra import need
from sameface.types import Interval

#: Errors to be seen before a rate is stated: then it lies within ±30 % with 90 % confidence (Doddington et al. 2000, "rule of 30").
RULE_OF_30: Final = 30


def clopper_pearson(events: int, trials: int, level: float = 0.95) -> Interval:
    """The exact binomial interval of a rate, for trials that are independent: pairs that share no person.

    Args:
        events, trials: 0 ≤ events ≤ trials, at least one trial.
        level: coverage, in (0, 1).

    Raises:
        SettingError: other counts.
        ExtraMissingError: scipy is not installed.

    Source: Clopper and Pearson 1934; the bounds are quantiles of beta distributions.

    >>> interval = clopper_pearson(0, 10)
    >>> round(interval.low, 4), round(interval.high, 4)  # 1 - 0.025 ** (1 / 10)
    (0.0, 0.3085)
    """
    _check(events, trials, level)
    special = need("scipy.special")
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(special.betaincinv(events, trials - events + 1, tail))
    high = 1.0 if events == trials else float(special.betaincinv(events + 1, trials - events, 1 - tail))
    return Interval(low, high, level, "clopper-pearson")


def rule_of_three(trials: int, level: float = 0.95) -> Interval:
    """What no event in `trials` says: the one-sided upper bound, about 3/n at 95 %.

    Returns:
        From 0 to ``1 − (1 − level)^(1/n)``; 3/n is its usual approximation.

    >>> round(rule_of_three(300).high, 5)
    0.00994
    """
    _check(0, trials, level)
    return Interval(0.0, -math.expm1(math.log1p(-level) / trials), level, "rule of three")


def binomial_interval(events: int, trials: int, level: float = 0.95) -> Interval:
    """The interval of a rate of independent trials: the rule of three where nothing happened, else Clopper–Pearson."""
    return rule_of_three(trials, level) if events == 0 else clopper_pearson(events, trials, level)


def pairs_needed(rate: float, events: int = RULE_OF_30) -> int:
    """How many pairs a rate needs before it can be stated: enough to expect `events` events.

    >>> pairs_needed(1e-3)
    30000
    """
    if not 0 < rate <= 1:
        raise SettingError(expected="a rate above 0, up to 1", got=str(rate), advice="give a rate, for instance 0.001")
    return math.ceil(round(min(events / rate, sys.float_info.max), 6))


def _check(events: int, trials: int, level: float) -> None:
    if not (0 <= events <= trials and trials >= 1 and 0 < level < 1):
        raise SettingError(
            expected="0 ≤ events ≤ trials, a trial, and a level between 0 and 1",
            got=f"{events} of {trials} at {level}",
            advice="count the events among the trials",
        )

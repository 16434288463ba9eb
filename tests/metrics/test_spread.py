"""The spread between groups: its interval covers the true one, and starts at 0 where groups are alike."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from sameface.errors import NotEnoughDataError
from sameface.metrics import clopper_pearson
from sameface.metrics.spread import level_of_each, spread


def test_two_groups_are_newcombes_example() -> None:
    """Newcombe 1998, table II: 56/70 against 48/80, by the method of squaring and adding with Wilson's bounds: 0.0524 to 0.3339."""
    stats = pytest.importorskip("scipy.stats")
    bounds = []
    for events, trials in ((56, 70), (48, 80)):
        interval = stats.binomtest(events, trials).proportion_ci(method="wilson")
        bounds.append((interval.low, interval.high))
    value, interval = spread([56 / 70, 48 / 80], bounds)
    assert value == pytest.approx(0.2)
    assert (interval.low, interval.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_largest_bound_of_any_two_groups() -> None:
    rates, bounds = [0.05, 0.01, 0.03], [(0.02, 0.09), (0.0, 0.02), (0.025, 0.036)]
    lows, highs = [], []
    for i, j in permutations(range(3), 2):
        lows.append(rates[i] - rates[j] - math.sqrt((rates[i] - bounds[i][0]) ** 2 + (bounds[j][1] - rates[j]) ** 2))
        highs.append(rates[i] - rates[j] + math.sqrt((bounds[i][1] - rates[i]) ** 2 + (rates[j] - bounds[j][0]) ** 2))
    value, interval = spread(rates, bounds)
    assert value == pytest.approx(0.04)
    assert (interval.low, interval.high) == pytest.approx((max(0, *lows), max(highs)))


@pytest.mark.parametrize("truth", [(0.02, 0.02, 0.02, 0.02), (0.02, 0.03, 0.05, 0.09)])
def test_it_covers_the_true_spread(truth: tuple[float, ...]) -> None:
    """Of 400 made-up evaluations at least 95 % hold the truth; where all groups are alike the interval starts at 0 as often."""
    generator = np.random.default_rng(0)
    level = level_of_each(len(truth))
    held = 0
    for _ in range(400):
        events = [int(generator.binomial(1000, rate)) for rate in truth]
        exact = [clopper_pearson(count, 1000, level) for count in events]
        _, interval = spread([count / 1000 for count in events], [(item.low, item.high) for item in exact])
        held += interval.low <= max(truth) - min(truth) <= interval.high
    assert held / 400 >= 0.95


def test_one_group_has_no_spread() -> None:
    with pytest.raises(NotEnoughDataError, match="two groups"):
        spread([0.1], [(0.0, 0.2)])

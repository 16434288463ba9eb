"""Intervals against scipy's own binomial test, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from sameface.errors import ExtraMissingError, NotEnoughDataError, SettingError
from sameface.metrics import binomial_interval, bootstrap_interval, clopper_pearson, pairs_needed, rule_of_three
from sameface.metrics.bootstrap import people_weights
from sameface.metrics.extra import need


@given(trials=st.integers(1, 5000), share=st.floats(0, 1), level=st.sampled_from([0.9, 0.95, 0.99]))
def test_clopper_pearson_is_scipys(trials: int, share: float, level: float) -> None:
    events = round(share * trials)
    ours = clopper_pearson(events, trials, level)
    theirs = binomtest(events, trials).proportion_ci(level, method="exact")
    assert ours.low == pytest.approx(theirs.low, abs=1e-9)
    assert ours.high == pytest.approx(theirs.high, abs=1e-9)
    assert ours.low <= events / trials <= ours.high


def test_rule_of_three_is_near_three_over_n() -> None:
    for n in (100, 1000, 30_000):
        assert rule_of_three(n).high == pytest.approx(3 / n, rel=0.02)
        assert (1 - rule_of_three(n).high) ** n == pytest.approx(0.05)
    assert binomial_interval(0, 100).method == "rule of three"
    assert binomial_interval(1, 100).method == "clopper-pearson"


def test_pairs_needed_rule_of_30() -> None:
    assert [pairs_needed(x) for x in (0.1, 0.01, 1e-3, 1e-4)] == [300, 3000, 30_000, 300_000]
    with pytest.raises(SettingError):
        pairs_needed(0)


@pytest.mark.parametrize(("events", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_wrong_counts_are_refused(events: int, trials: int) -> None:
    with pytest.raises(SettingError):
        clopper_pearson(events, trials)


def test_bootstrap_of_independent_people_is_the_binomial_interval() -> None:
    """One trial per person: drawing people is drawing trials, so both intervals must nearly agree."""
    failed = np.zeros(400, dtype=int)
    failed[:40] = 1
    ours = bootstrap_interval(lambda w: float(w @ failed / w.sum()), 400, replicates=2000)
    exact = clopper_pearson(40, 400)
    assert ours.low == pytest.approx(exact.low, abs=0.01)
    assert ours.high == pytest.approx(exact.high, abs=0.01)


def test_bootstrap_sees_that_errors_hang_together() -> None:
    """20 people, all errors with one of them: pairs look like 4,000 trials, but there are only 20 draws."""
    errors, trials = np.zeros(20), np.full(20, 200.0)
    errors[3] = 100
    wide = bootstrap_interval(lambda w: float(w @ errors / (w @ trials)), 20)
    narrow = clopper_pearson(100, 4000)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_bootstrap_repeats_by_seed_and_draws_everybody_on_average() -> None:
    rate = lambda w: float(w[0] / w.sum())  # noqa: E731
    assert bootstrap_interval(rate, 5, replicates=50) == bootstrap_interval(rate, 5, replicates=50)
    drawn = np.mean(list(people_weights(6, 4000)), axis=0)
    assert drawn == pytest.approx(np.ones(6), abs=0.08)
    with pytest.raises(NotEnoughDataError):
        bootstrap_interval(rate, 1)


def test_missing_extra_names_it() -> None:
    with pytest.raises(ExtraMissingError, match=r"sameface\[evaluate\]"):
        need("sklearn_that_is_not_there")

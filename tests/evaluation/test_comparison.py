"""Two encoders on the same pairs: differences draw by draw, beside a slow loop and SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sameface.errors import DataError
from sameface.evaluation.comparison import compare, difference
from sameface.evaluation.given import NOT_GIVEN
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.results import Acquisition, Comparison, Rate, Run, Speed
from sameface.evaluation.scores import Scores
from sameface.evaluation.verification import verify_all
from sameface.metrics import curve, equal_error_rate, people_weights
from sameface.types import EmbeddingSpace, OperatingPoint
from tests.evaluation.test_ranked import all_pairs, written_out
from tests.evaluation.test_verification import pair_scores


def measured(name: str, scores: Scores, threshold: float | None = None) -> tuple[Run, PeopleDraws]:
    draws = PeopleDraws(scores)
    space = EmbeddingSpace(name, NOT_GIVEN, NOT_GIVEN)
    run = Run(
        space,
        name,
        0,
        "unknown",
        Acquisition(0, 0, {}, Rate(0.0, 0, 1), 0, 0, ""),
        Speed(0, 0, 0.0, None),
        verify_all(scores, draws=draws),
        operating_point=None if threshold is None else OperatingPoint(threshold, space, "FMR 0.01"),
    )
    return run, draws


def noisier(scores: Scores, by: float, seed: int = 9) -> Scores:
    noise = np.random.default_rng(seed).normal(0, by, len(scores.a)).astype(np.float32)
    return replace(scores, distances=(scores.distances + noise).clip(0))


def by_measure(found: Comparison) -> dict[str, object]:
    return {row.measure: row for row in found.differences}


def test_an_encoder_beside_itself_differs_by_nothing() -> None:
    scores = pair_scores()
    found = compare(measured("one", scores, 0.6), measured("two", scores, 0.6))
    for row in found.differences:
        assert (row.difference, row.p_value) == (0, 1)
        assert row.interval is not None
        assert (row.interval.low, row.interval.high) == (0, 0)
    assert found.decisions is not None
    assert (found.decisions.only_first, found.decisions.only_second, found.decisions.p_value) == (0, 0, 1)


def test_differences_are_taken_draw_by_draw() -> None:
    first = all_pairs(people=40, seed=2)
    second = noisier(first, 0.05)
    row = by_measure(compare(measured("one", first), measured("two", second)))["EER"]
    apart = []
    for drawn in people_weights(40, 1000):
        weights = np.where(first.same, drawn[first.person_a], drawn[first.person_a] * drawn[first.person_b])
        rates = [equal_error_rate(curve(*written_out(scores, weights)))[0] for scores in (first, second)]
        apart.append(rates[1] - rates[0])
    assert (row.interval.low, row.interval.high) == pytest.approx(tuple(np.quantile(apart, [0.025, 0.975])))
    fewer = min(sum(value <= 0 for value in apart), sum(value >= 0 for value in apart))
    assert row.p_value == pytest.approx(min(1, 2 * (fewer + 1) / 1001))
    assert row.difference == pytest.approx(row.second - row.first)


def test_much_sharper_than_two_intervals() -> None:
    """The same hard pairs for both: the interval of the difference is a fraction of either's own."""
    first = all_pairs(people=60, seed=4)
    found = measured("one", first), measured("two", noisier(first, 0.01))
    row = by_measure(compare(*found))["AUC"]
    own = found[0][0].verification.auc.interval
    assert own is not None
    assert row.interval.high - row.interval.low < 0.4 * (own.high - own.low)


def test_a_much_worse_encoder_is_found_out() -> None:
    scores = pair_scores(n=2000, people=300)
    found = compare(measured("good", scores, 0.6), measured("bad", noisier(scores, 0.3), 0.6))
    rows = by_measure(found)
    assert rows["EER"].interval.low > 0
    assert rows["AUC"].interval.high < 0
    assert rows["EER"].p_value == pytest.approx(2 / 1001)
    assert rows["FNMR at its own τ"].difference > 0
    decisions = found.decisions
    assert decisions is not None
    stats = pytest.importorskip("scipy.stats")
    total = decisions.only_first + decisions.only_second
    assert decisions.p_value == pytest.approx(stats.binomtest(decisions.only_first, total).pvalue)


def test_no_p_value_where_nothing_was_drawn() -> None:
    row = difference("EER", 0.1, 0.2, (np.empty(0), np.empty(0)))
    assert (row.interval, row.p_value) == (None, None)


def test_other_pairs_are_refused() -> None:
    scores = pair_scores()
    other = replace(scores, a=scores.a[::-1].copy())
    with pytest.raises(DataError, match="same pairs"):
        compare(measured("one", scores), measured("two", other))

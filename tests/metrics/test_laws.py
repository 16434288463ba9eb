"""Laws that hold for any distances: of order, repetition, unit and size; each is broken by some plausible mistake."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sameface.errors import NotEnoughDataError, SettingError
from sameface.metrics import (
    area_under_curve,
    clopper_pearson,
    cmc,
    curve,
    equal_error_rate,
    false_match_rate,
    false_non_match_rate,
    open_set_rates,
    pairs_needed,
    ranks_of_mates,
    rule_of_three,
    shares_people,
    tar_at_fmr,
    threshold_at_fmr,
    threshold_at_fpir,
)
from sameface.metrics.accuracy import accuracy_at, accuracy_threshold, mean_and_standard_error
from sameface.metrics.arrays import as_distances

#: A coarse grid, on which sums and doublings are exact and ties are common.
grid = st.integers(0, 24).map(lambda x: x / 8)
some = st.lists(grid, min_size=1, max_size=30)
failing = st.lists(st.one_of(grid, st.just(math.inf)), min_size=1, max_size=30)
targets = st.sampled_from([0.001, 0.05, 0.125, 0.25, 0.5, 0.9])


@given(mated=failing, non_mated=failing, seed=st.integers(0, 99), times=st.integers(2, 4))
def test_neither_order_nor_repetition_changes_a_rate(
    mated: list[float], non_mated: list[float], seed: int, times: int
) -> None:
    shuffled = np.random.default_rng(seed).permutation(mated)
    for tau in (0.0, 0.5, 1.125, 3.5):
        assert false_non_match_rate(shuffled, tau) == false_non_match_rate(mated, tau)
        assert false_match_rate(non_mated * times, tau) == pytest.approx(false_match_rate(non_mated, tau))
        assert accuracy_at(mated * times, non_mated * times, tau) == pytest.approx(accuracy_at(mated, non_mated, tau))
    assert area_under_curve(mated * times, non_mated) == pytest.approx(area_under_curve(mated, non_mated))


@given(mated=some, non_mated=some, target=targets)
def test_another_unit_moves_thresholds_and_no_rate(mated: list[float], non_mated: list[float], target: float) -> None:
    """Distances in another unit, twice as large: every τ doubles, every rate stays."""
    wide = [2 * value for value in non_mated]
    assert threshold_at_fmr(wide, target) == pytest.approx(2 * threshold_at_fmr(non_mated, target))
    tar, tau = tar_at_fmr(mated, non_mated, target)
    assert tar_at_fmr([2 * value for value in mated], wide, target) == pytest.approx((tar, 2 * tau))
    once, twice = curve(mated, non_mated), curve([2 * value for value in mated], wide)
    assert equal_error_rate(twice)[0] == pytest.approx(equal_error_rate(once)[0])
    assert accuracy_threshold([2 * value for value in mated], wide)[1] == accuracy_threshold(mated, non_mated)[1]


@given(mated=some, non_mated=some)
def test_the_two_kinds_exchanged(mated: list[float], non_mated: list[float]) -> None:
    """An encoder that has everything the wrong way round is as far above a half as the right one is below."""
    assert area_under_curve(non_mated, mated) == pytest.approx(1 - area_under_curve(mated, non_mated))


@given(mated=some, non_mated=some, better=st.integers(1, 8))
def test_mated_pairs_that_come_nearer_make_nothing_worse(
    mated: list[float], non_mated: list[float], better: int
) -> None:
    nearer = [max(0.0, value - better / 8) for value in mated]
    assert area_under_curve(nearer, non_mated) >= area_under_curve(mated, non_mated) - 1e-12
    assert accuracy_threshold(nearer, non_mated)[1] >= accuracy_threshold(mated, non_mated)[1] - 1e-12
    for target in (0.0625, 0.25):
        assert tar_at_fmr(nearer, non_mated, target)[0] >= tar_at_fmr(mated, non_mated, target)[0]


@given(non_mated=failing, target=targets)
def test_a_threshold_keeps_its_target_and_the_next_does_not(non_mated: list[float], target: float) -> None:
    tau = threshold_at_fmr(non_mated, target)
    allowed = Fraction(str(target))
    under = sum(value < tau for value in non_mated)
    assert Fraction(under, len(non_mated)) <= allowed
    above = sorted({value for value in non_mated if value >= tau and math.isfinite(value)})
    if above:  # just over the next distance one more pair matches
        more = sum(value <= above[0] for value in non_mated)
        assert Fraction(more, len(non_mated)) > allowed
    assert threshold_at_fpir(non_mated, target) == tau  # the same question about searches


@given(mated=failing, other=failing, unknown=failing)
def test_open_set_rates_move_one_way(mated: list[float], other: list[float], unknown: list[float]) -> None:
    count = min(len(mated), len(other))
    mated, other = mated[:count], other[:count]
    before = None
    for tau in (0.0, 0.25, 0.75, 1.5, 4.0):
        rates = open_set_rates(mated, other, unknown, tau)
        assert (rates.mated_searches, rates.non_mated_searches) == (count, len(unknown))
        assert rates.misidentified <= rates.fnir + 1e-12
        right = sum(own < tau and own < another for own, another in zip(mated, other, strict=True))
        assert rates.fnir == pytest.approx(1 - right / count)
        if before is not None:  # a laxer τ names more strangers, and misses no more of the enrolled
            assert rates.fpir >= before.fpir
            assert rates.fnir <= before.fnir + 1e-12
        before = rates


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), people=st.integers(1, 5), photos=st.integers(1, 3), probes=st.integers(1, 6))
def test_more_photos_of_a_person_never_make_their_rank_worse(seed: int, people: int, photos: int, probes: int) -> None:
    draw = np.random.default_rng(seed)
    whose = np.repeat(np.arange(people), photos)
    asked = draw.integers(0, people, probes)
    table = draw.integers(0, 12, (probes, len(whose))) / 4
    ranks = ranks_of_mates(table, whose, asked)
    assert ((ranks >= 1) & (ranks <= people)).all()
    # one more photo of everybody who is asked for, as near as their nearest
    more = np.c_[table, [[table[row, whose == person].min() for person in range(people)] for row in range(probes)]]
    np.testing.assert_array_equal(ranks_of_mates(more, np.r_[whose, np.arange(people)], asked), ranks)
    own = np.arange(people)[None] == asked[:, None]
    nearer = np.c_[table, np.where(own, -1.0, np.inf)]
    assert ranks_of_mates(nearer, np.r_[whose, np.arange(people)], asked).tolist() == [1] * probes
    found = cmc(ranks, people)
    assert (np.diff(found) >= 0).all()
    assert found[-1] == 1
    assert found[0] == np.mean(ranks == 1)


@given(trials=st.integers(1, 400), data=st.data())
def test_exact_intervals_hold_their_rate_and_mirror(trials: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, trials))
    pytest.importorskip("scipy")
    found, mirrored = clopper_pearson(events, trials), clopper_pearson(trials - events, trials)
    assert found.low <= events / trials <= found.high
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    wider = clopper_pearson(events, trials, 0.99)
    assert wider.low <= found.low <= found.high <= wider.high
    if events < trials:
        more = clopper_pearson(events + 1, trials)
        assert more.low >= found.low
        assert more.high >= found.high


@given(st.integers(1, 10**6))
def test_nothing_in_more_trials_says_more(trials: int) -> None:
    bound = rule_of_three(trials)
    # at the bound, seeing nothing has probability 5 %
    assert (1 - bound.high) ** trials == pytest.approx(0.05, rel=1e-6)
    assert rule_of_three(trials + 1).high < bound.high
    assert pairs_needed(bound.high, 3) >= trials - 1


@given(st.lists(st.integers(0, 64).map(lambda x: x / 64), min_size=2, max_size=12))
def test_the_standard_error_by_its_formula(values: list[float]) -> None:
    mean = sum(values) / len(values)
    square = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    assert mean_and_standard_error(values) == pytest.approx((mean, math.sqrt(square / len(values))))
    assert math.isnan(mean_and_standard_error(values[:1])[1])


@given(st.integers(0, 1000), st.integers(2, 20), st.integers(1, 15))
def test_whoever_is_in_a_chosen_pair_is_shared(seed: int, people: int, pairs: int) -> None:
    draw = np.random.default_rng(seed)
    a, b, chosen = draw.integers(0, people, pairs), draw.integers(0, people, pairs), draw.random(pairs) < 0.3
    seen = {who for row in np.flatnonzero(chosen) for who in (a[row], b[row])}
    assert shares_people(a, b, chosen).tolist() == [x in seen or y in seen for x, y in zip(a, b, strict=True)]


@pytest.mark.parametrize("values", [[float("nan")], [0.5, float("nan")], [[0.5]], 0.5])
def test_what_is_no_list_of_distances(values: object) -> None:
    with pytest.raises(SettingError, match="mated"):
        as_distances(values, kind="mated")


def test_whole_numbers_are_distances_and_none_at_all_is_too_few() -> None:
    assert as_distances([1, 2], kind="mated").dtype == np.float64
    assert as_distances(np.float32([1]), kind="mated").dtype == np.float32
    assert as_distances([], kind="mated", empty=True).size == 0
    with pytest.raises(NotEnoughDataError, match="at least one mated pair"):
        as_distances([], kind="mated")
    with pytest.raises(NotEnoughDataError):
        cmc([], 3)

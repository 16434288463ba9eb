"""FMR, FNMR, ROC and what is read from it, against scikit-learn, loops and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from sameface.errors import NotEnoughDataError, SettingError
from sameface.metrics import (
    accuracy_threshold,
    area_under_curve,
    curve,
    equal_error_rate,
    false_match_rate,
    false_non_match_rate,
    tar_at_fmr,
    threshold_at_fmr,
)
from sameface.metrics.accuracy import accuracy_at
from sameface.metrics.thresholds import matches_allowed

# A coarse grid makes ties common, which is where rules go wrong.
distances = st.lists(st.integers(0, 20).map(lambda x: x / 10), min_size=1, max_size=40)
with_failures = st.lists(
    st.one_of(st.integers(0, 20).map(lambda x: x / 10), st.just(math.inf)), min_size=1, max_size=40
)


def scores(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    mated = generator.normal(0.45, 0.1, 300).round(2).clip(0)
    return mated, generator.normal(0.8, 0.1, 700).round(2).clip(0)


def test_curve_is_scikit_learns_roc() -> None:
    mated, non_mated = scores()
    ours = curve(mated, non_mated)
    labels = np.r_[np.ones(len(mated)), np.zeros(len(non_mated))]
    fpr, tpr, cut = roc_curve(labels, -np.r_[mated, non_mated], drop_intermediate=False)
    # scikit-learn accepts score >= cut, so distance <= -cut: the rate just above each distance.
    assert np.allclose(false_match_rate(non_mated, np.nextafter(-cut[1:], np.inf)), fpr[1:])
    assert np.allclose(1 - false_non_match_rate(mated, np.nextafter(-cut[1:], np.inf)), tpr[1:])
    # Every point of theirs is one of ours.
    theirs = set(zip(fpr.round(9).tolist(), (1 - tpr).round(9).tolist(), strict=True))
    assert theirs <= set(zip(ours.fmr.round(9).tolist(), ours.fnmr.round(9).tolist(), strict=True))


def test_curve_holds_scikit_learns_det() -> None:
    mated, non_mated = scores(1)
    ours = curve(mated, non_mated)
    labels = np.r_[np.ones(len(mated)), np.zeros(len(non_mated))]
    fpr, fnr, _ = det_curve(labels, -np.r_[mated, non_mated])
    points = set(zip(ours.fmr.round(9).tolist(), ours.fnmr.round(9).tolist(), strict=True))
    assert set(zip(fpr.round(9).tolist(), fnr.round(9).tolist(), strict=True)) <= points


@given(mated=distances, non_mated=distances)
def test_auc_is_scikit_learns(mated: list[float], non_mated: list[float]) -> None:
    labels = [1] * len(mated) + [0] * len(non_mated)
    expected = roc_auc_score(labels, [-d for d in mated + non_mated])
    assert area_under_curve(mated, non_mated) == pytest.approx(expected)


@given(values=with_failures, thresholds=st.lists(st.integers(0, 25).map(lambda x: x / 10), min_size=2, max_size=9))
def test_fmr_never_falls_and_fnmr_never_rises(values: list[float], thresholds: list[float]) -> None:
    rising = np.sort(thresholds)
    assert (np.diff(false_match_rate(values, rising)) >= 0).all()
    assert (np.diff(false_non_match_rate(values, rising)) <= 0).all()


@given(values=with_failures, threshold=st.integers(0, 25).map(lambda x: x / 10))
def test_rates_equal_a_plain_loop(values: list[float], threshold: float) -> None:
    under = sum(1 for d in values if d < threshold)
    assert false_match_rate(values, threshold) == under / len(values)
    assert false_non_match_rate(values, threshold) == pytest.approx((len(values) - under) / len(values))
    assert false_match_rate(values, np.array([threshold]))[0] == under / len(values)


@given(values=with_failures, target=st.floats(0, 1))
def test_threshold_keeps_the_target_and_is_the_highest(values: list[float], target: float) -> None:
    threshold = threshold_at_fmr(values, target)
    assert sum(d < threshold for d in values) / len(values) <= target
    if math.isfinite(threshold):  # one step further the pair at the threshold matches too
        assert sum(d <= threshold for d in values) / len(values) > target


@given(total=st.integers(1, 100_000), target=st.floats(0, 1))
def test_allowed_matches_against_exact_fractions(total: int, target: float) -> None:
    allowed = matches_allowed(total, target)
    assert allowed / total <= target
    assert allowed == total or (allowed + 1) / total > target


@given(mated=with_failures, non_mated=distances, target=st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]))
def test_tar_equals_a_search_over_all_thresholds(mated: list[float], non_mated: list[float], target: float) -> None:
    tar, _ = tar_at_fmr(mated, non_mated, target)
    best = max(
        sum(m < t for m in mated) / len(mated)
        for t in [*mated, *non_mated, 99.0]
        if sum(n < t for n in non_mated) / len(non_mated) <= target
        or t == min([*mated, *non_mated])  # under which nothing lies
    )
    assert tar == best


@given(mated=with_failures, non_mated=with_failures)
def test_accuracy_threshold_is_the_best_of_all(mated: list[float], non_mated: list[float]) -> None:
    def accuracy(threshold: float) -> float:
        right = sum(d < threshold for d in mated) + sum(threshold <= d < math.inf for d in non_mated)
        return right / (len(mated) + len(non_mated))

    threshold, claimed = accuracy_threshold(mated, non_mated)
    tried = [accuracy(x / 20 + 1e-6) for x in range(-1, 60)]
    assert claimed == pytest.approx(max(tried))
    assert accuracy(threshold) == pytest.approx(claimed)
    assert accuracy_at(mated, non_mated, threshold) == pytest.approx(claimed)


@given(mated=distances, non_mated=distances)
def test_eer_lies_where_the_rates_meet(mated: list[float], non_mated: list[float]) -> None:
    rate, threshold = equal_error_rate(curve(mated, non_mated))
    fmr, fnmr = false_match_rate(non_mated, threshold), false_non_match_rate(mated, threshold)
    assert rate == pytest.approx((fmr + fnmr) / 2)
    gaps = [abs(false_match_rate(non_mated, t) - false_non_match_rate(mated, t)) for t in [*mated, *non_mated, 99.0]]
    assert abs(fmr - fnmr) <= min(gaps) + 1e-12


def test_thinned_curve_keeps_its_ends_and_points() -> None:
    generator = np.random.default_rng(2)
    whole = curve(generator.normal(0.4, 0.1, 9000).clip(0), generator.normal(0.8, 0.1, 9000).clip(0))
    thin = whole.thinned(600)
    assert len(thin.fmr) <= 700
    assert (thin.fmr[0], thin.fnmr[0], thin.fmr[-1], thin.fnmr[-1]) == (0.0, 1.0, 1.0, 0.0)
    assert set(thin.thresholds) <= set(whole.thresholds)


def test_empty_and_nan_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="non-mated"):
        false_match_rate([], 0.5)
    with pytest.raises(SettingError, match="NaN"):
        false_non_match_rate([math.nan], 0.5)
    with pytest.raises(SettingError):
        threshold_at_fmr([0.5], 1.5)

"""Folds that share nobody, and accuracy over them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sameface.errors import NotEnoughDataError
from sameface.metrics import accuracy_by_fold, mean_and_standard_error, person_disjoint_folds, shares_people
from sameface.metrics.folds import linked


def people_of(fold: int, a: np.ndarray, b: np.ndarray, folds: np.ndarray) -> set[int]:
    return set(a[folds == fold].tolist()) | set(b[folds == fold].tolist())


def test_folds_of_separate_groups_share_nobody_and_are_even() -> None:
    generator = np.random.default_rng(0)
    # 60 groups of four people who are compared only among themselves.
    group = generator.integers(0, 60, 3000)
    a, b = group * 4 + generator.integers(0, 4, 3000), group * 4 + generator.integers(0, 4, 3000)
    folds = person_disjoint_folds(a, b, 10)
    members = [people_of(fold, a, b, folds) for fold in range(10)]
    assert sum(map(len, members)) == len(set.union(*members))
    assert np.bincount(folds).max() < 1.3 * 300


def test_one_tangled_group_still_gives_folds_and_the_purge_keeps_them_apart() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.integers(0, 400, 500), generator.integers(0, 400, 500)
    folds = person_disjoint_folds(a, b, 10)
    assert len(np.unique(folds)) == 10
    for fold in range(10):
        scored = folds == fold
        helping = ~shares_people(a, b, scored)
        assert helping.sum() > 200
        there = people_of(fold, a, b, folds)
        assert not (there & (set(a[helping].tolist()) | set(b[helping].tolist())))


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_components_against_a_flood_fill(links: list[tuple[int, int]]) -> None:
    first = np.array([x for x, _ in links], dtype=int)
    second = np.array([y for _, y in links], dtype=int)
    ours = linked(first, second, 12)
    for start in range(12):
        reached, grown = {start}, True
        while grown:
            more = {y for x, y in links if x in reached} | {x for x, y in links if y in reached}
            grown = not more <= reached
            reached |= more
        assert set(np.flatnonzero(ours == ours[start]).tolist()) == reached


@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_k_fold_equals_a_slow_loop(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n = 60
    same = np.arange(n) % 2 == 0
    distances = np.where(same, generator.normal(0.4, 0.2, n), generator.normal(0.8, 0.2, n)).round(1).clip(0)
    distances[generator.integers(0, n, 3)] = math.inf
    folds = np.arange(n) // 2 % 5
    for result, fold in zip(accuracy_by_fold(distances, same, folds), range(5), strict=True):
        right, best = -1, None
        values = sorted({0.0, *distances[np.isfinite(distances)].tolist()})
        for low, high in zip(values, [*values[1:], values[-1] + 1], strict=True):
            threshold = (low + high) / 2
            score = sum(
                (d < threshold) if s else (threshold <= d < math.inf)
                for d, s, f in zip(distances, same, folds, strict=True)
                if f != fold
            )
            if score > right:
                right, best = score, threshold
        assert best is not None
        hits = [
            (d < best) if s else (best <= d < math.inf)
            for d, s, f in zip(distances, same, folds, strict=True)
            if f == fold
        ]
        assert result.accuracy == pytest.approx(np.mean(hits))
        assert (result.pairs, result.chosen_on) == (12, 48)


def test_standard_error_by_hand() -> None:
    # Ten folds: deviations are ±0.01, so σ² = 10·0.0001/9 and S_E = σ/√10.
    mean, error = mean_and_standard_error([0.98, 1.0] * 5)
    assert mean == pytest.approx(0.99)
    assert error == pytest.approx(math.sqrt(0.001 / 9) / math.sqrt(10))
    assert math.isnan(mean_and_standard_error([0.9])[1])


def test_too_few_people_for_the_folds() -> None:
    with pytest.raises(NotEnoughDataError, match="10 folds"):
        person_disjoint_folds(np.array([0, 1]), np.array([0, 1]), 10)

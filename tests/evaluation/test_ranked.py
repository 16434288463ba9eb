"""Weighted EER, AUC and TAR equal the plain numbers of pairs that are written out as often as they weigh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sameface.evaluation.ranked import RankedPairs
from sameface.evaluation.resampling import PeopleDraws, percentiles
from sameface.evaluation.scores import Scores
from sameface.metrics import area_under_curve, curve, equal_error_rate, people_weights, tar_at_fmr
from tests.evaluation.test_verification import pair_scores


def all_pairs(people: int = 9, seed: int = 0, *, failures: int = 0, steps: int = 0) -> Scores:
    """All pairs of a few photos; distances rounded to a few steps, so that many are equal."""
    generator = np.random.default_rng(seed)
    whose = np.repeat(np.arange(people), generator.integers(1, 5, people))
    a, b = np.triu_indices(len(whose), 1)
    same = whose[a] == whose[b]
    distances = np.where(same, generator.normal(0.5, 0.2, len(a)), generator.normal(0.8, 0.2, len(a))).clip(0)
    if steps:
        distances = np.round(distances * steps) / steps
    distances[generator.choice(len(a), failures, replace=False)] = np.inf
    photos = np.bincount(whose)
    ints = (x.astype(np.int32) for x in (a, b, whose[a], whose[b]))
    return Scores(distances.astype(np.float32), same, *ints, photos_of=photos)


def written_out(scores: Scores, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mated and non-mated distances, each as often as its pair weighs."""
    distances, same = np.repeat(scores.distances, weights), np.repeat(scores.same, weights)
    return distances[same], distances[~same & np.isfinite(distances)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 0, 3, 8, 20]), st.integers(0, 6))
def test_weights_are_repetitions(seed: int, steps: int, failures: int) -> None:
    scores = all_pairs(seed=seed, failures=failures, steps=steps)
    weights = np.random.default_rng(seed).integers(0, 4, len(scores.a))
    mated, non_mated = written_out(scores, weights)
    ranked = RankedPairs(scores, scores.person_a, scores.person_b).of_pairs(weights)
    if not len(mated) or not len(non_mated):
        assert ranked.empty
        assert all(np.isnan(value) for value in (ranked.auc(), ranked.eer(), ranked.tar_at_fmr(0.1)))
        return
    assert ranked.auc() == pytest.approx(area_under_curve(mated, non_mated), abs=1e-12)
    assert ranked.eer() == pytest.approx(equal_error_rate(curve(mated, non_mated))[0], abs=1e-12)
    for target in (0.01, 0.1, 0.5):
        assert ranked.tar_at_fmr(target) == pytest.approx(tar_at_fmr(mated, non_mated, target)[0], abs=1e-12)


def test_the_area_is_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores = all_pairs(people=30, seed=3, steps=12)
    weights = np.random.default_rng(1).integers(0, 5, len(scores.a))
    ranked = RankedPairs(scores, scores.person_a, scores.person_b).of_pairs(weights)
    assert ranked.auc() == pytest.approx(
        metrics.roc_auc_score(scores.same, -scores.distances, sample_weight=weights), abs=1e-12
    )
    fmr, tar, _ = metrics.roc_curve(scores.same, -scores.distances, sample_weight=weights, drop_intermediate=False)
    apart = np.abs(fmr - (1 - tar))
    assert ranked.eer() == pytest.approx(((fmr + 1 - tar) / 2)[apart == apart.min()], abs=1e-12)


@pytest.mark.parametrize("steps", [0, 10])
def test_people_weigh_pairs_by_products(steps: int) -> None:
    scores = all_pairs(people=12, seed=5, failures=3, steps=steps)
    ranked = RankedPairs(scores, scores.person_a, scores.person_b)
    for drawn in people_weights(12, 20, seed=2):
        pairs = zip(scores.person_a.tolist(), scores.person_b.tolist(), strict=True)
        weights = np.array([drawn[i] if i == j else drawn[i] * drawn[j] for i, j in pairs])
        slow, quick = ranked.of_pairs(weights), ranked.of_people(drawn)
        assert quick.matched.tolist() == slow.matched.tolist()
        assert quick.accepted.tolist() == slow.accepted.tolist()
        assert quick.mated_total == slow.mated_total


def test_somebody_drawn_very_often_overflows_nothing() -> None:
    scores = all_pairs(people=4, seed=1)
    ranked = RankedPairs(scores, scores.person_a, scores.person_b)
    drawn = np.array([70_000, 60_000, 1, 0])
    weight = [drawn[i] * drawn[j] for i, j in zip(scores.person_a, scores.person_b, strict=True) if i != j]
    assert int(ranked.of_people(drawn).matched[-1]) == sum(map(int, weight))


def test_intervals_are_percentiles_over_draws_of_people() -> None:
    scores = all_pairs(people=15, seed=7)
    rows = []
    for drawn in people_weights(15, 1000):
        weights = np.where(scores.same, drawn[scores.person_a], drawn[scores.person_a] * drawn[scores.person_b])
        mated, non_mated = written_out(scores, weights)
        if len(mated) and len(non_mated):
            rows.append((equal_error_rate(curve(mated, non_mated))[0], area_under_curve(mated, non_mated)))
    ranks = PeopleDraws(scores).ranks
    for values, slow in zip((ranks.eer, ranks.auc), zip(*rows, strict=True), strict=True):
        interval = percentiles(values)
        assert interval is not None
        assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])))


def test_pairs_that_share_nobody_are_drawn_as_pairs() -> None:
    """A non-mated pair of two people who are in no other pair is one trial: its interval must be as wide as a binomial one, not wider."""
    n = 2000
    same = np.arange(n) % 2 == 0
    index = np.arange(n, dtype=np.int32)
    generator = np.random.default_rng(0)
    distances = np.where(same, generator.normal(0.5, 0.1, n), generator.normal(0.8, 0.1, n)).astype(np.float32)
    scores = Scores(distances, same, index, index, 2 * index, np.where(same, 2 * index, 2 * index + 1))
    assert scores.disjoint
    draws = PeopleDraws(scores)
    under = distances < 0.65
    drawn = draws.drawn_rate(under, ~same)
    share = under[~same].mean()
    assert drawn.std() == pytest.approx(np.sqrt(share * (1 - share) / (n / 2)), rel=0.1)


def test_millions_of_pairs_have_intervals_too() -> None:
    scores = pair_scores(n=150_000, people=400)
    ranks = PeopleDraws(scores, replicates=5).ranks
    assert len(ranks.eer) == len(ranks.auc) == 5
    assert not np.isnan(ranks.eer).any()

"""Scores and the numbers of 1:1, against plain loops."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from sameface.datasets import PairList, read_folder
from sameface.errors import NotEnoughDataError
from sameface.evaluation.embed import EmbeddedPhotos, embed_photos
from sameface.evaluation.fold_accuracy import k_fold
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.scores import Scores, distance_table, pair_distances, score_all_pairs, score_pairs
from sameface.evaluation.verification import acquisition, at_threshold, verify_all
from sameface.metrics import area_under_curve, clopper_pearson, curve, equal_error_rate, people_weights, tar_at_fmr
from sameface.types import EmbeddingSpace


def pair_scores(n: int = 400, people: int = 120, seed: int = 0, *, failures: int = 0) -> Scores:
    generator = np.random.default_rng(seed)
    same = np.arange(n) % 2 == 0
    a = generator.integers(0, people, n)
    b = np.where(same, a, (a + generator.integers(1, people, n)) % people)
    distances = (
        np.where(same, generator.normal(0.45, 0.12, n), generator.normal(0.8, 0.12, n)).clip(0).astype(np.float32)
    )
    distances[generator.choice(n, failures, replace=False)] = np.inf
    index = np.arange(n, dtype=np.int32)
    return Scores(distances, same, index, index + n, a.astype(np.int32), b.astype(np.int32))


def test_distances_equal_a_loop() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(0, 0.1, (40, 16)).astype(np.float32)
    a, b = generator.integers(0, 40, 90), generator.integers(0, 40, 90)
    expected = [math.dist(rows[i].tolist(), rows[j].tolist()) for i, j in zip(a, b, strict=True)]
    assert pair_distances(rows, a, b) == pytest.approx(expected, abs=1e-7)
    table = distance_table(rows, rows)
    assert table[a, b] == pytest.approx(expected, abs=1e-6)
    wide = np.tile(rows, (1, 300))
    assert distance_table(wide, wide)[a, b] == pytest.approx(pair_distances(wide, a, b), abs=2e-3)


def test_all_pairs_are_all_pairs(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    embedded = embed_photos(fake, bench.photos)
    scores = score_all_pairs(bench, embedded)
    expected = {}
    for i, j in combinations(range(len(bench.photos)), 2):
        found = embedded.found[i] and embedded.found[j]
        expected[i, j] = math.dist(embedded.embeddings[i], embedded.embeddings[j]) if found else math.inf
    assert dict(
        zip(zip(scores.a.tolist(), scores.b.tolist(), strict=True), scores.distances.tolist(), strict=True)
    ) == pytest.approx(expected, abs=1e-5)
    assert int(scores.same.sum()) == 24 * 10
    # The photo without a face: four mated pairs fail, 115 non-mated pairs leave the FMR.
    assert int(np.isinf(scores.mated).sum()) == 4
    assert len(scores.non_mated) == int((~scores.same).sum()) - 115
    seen = acquisition(embedded, scores)
    assert (seen.failed, seen.mated_pairs, seen.non_mated_pairs, dict(seen.reasons)) == (1, 4, 115, {"no face": 1})
    assert scores.photos_of is not None
    assert scores.photos_of.tolist() == [4] + [5] * 23


def test_verification_numbers_are_the_metrics(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    scores = score_all_pairs(bench, embed_photos(fake, bench.photos))
    result = verify_all(scores, folds=4, thresholds={"given": 0.1})
    assert result.auc.value == pytest.approx(area_under_curve(scores.mated, scores.non_mated))
    assert (result.eer.value, result.eer_threshold) == equal_error_rate(curve(scores.mated, scores.non_mated))
    for row in result.tar:
        assert (row.tar.value, row.threshold) == pytest.approx(
            tar_at_fmr(scores.mated, scores.non_mated, row.target_fmr)
        )
        assert row.fmr.value <= row.target_fmr
        assert row.tar.interval is not None
        assert row.tar.interval.low <= row.tar.value <= row.tar.interval.high
    assert [row.supported for row in result.tar] == [True, True, False]
    given = result.at_thresholds[0]
    under = scores.distances < 0.1
    assert given.fnmr.value == pytest.approx(1 - under[scores.same].mean())
    assert given.fmr.events == int(under[~scores.same].sum())
    assert sum(result.histogram.mated) == int(np.isfinite(scores.mated).sum())
    assert len(result.accuracy.folds) == 4
    assert result.accuracy.balanced


def test_failures_are_errors_of_both_kinds() -> None:
    scores = pair_scores(failures=40)
    threshold = 0.62
    result = at_threshold(scores, PeopleDraws(scores), "x", threshold)
    right = 0
    for d, same in zip(scores.distances.tolist(), scores.same.tolist(), strict=True):
        right += (d < threshold) if same else (threshold <= d < math.inf)
    assert result.accuracy.events == right
    assert result.accuracy.trials == 400
    assert result.fnmr.trials == 200
    assert result.fmr.trials == int(np.isfinite(scores.distances[~scores.same]).sum()) < 200


def test_disjoint_pairs_get_exact_intervals_others_draw_people() -> None:
    n = 300
    index = np.arange(n, dtype=np.int32)
    same = np.arange(n) % 2 == 0
    person_a = 2 * index
    person_b = np.where(same, person_a, person_a + 1)
    distances = np.where(np.arange(n) % 10 == 0, 0.9, np.where(same, 0.3, 0.8)).astype(np.float32)
    scores = Scores(distances, same, index, index, person_a, person_b)
    assert scores.disjoint
    rate = at_threshold(scores, PeopleDraws(scores), "x", 0.5).fnmr
    assert rate.interval == clopper_pearson(30, 150)
    assert not pair_scores().disjoint
    shared = at_threshold(pair_scores(), PeopleDraws(pair_scores()), "x", 0.5).fnmr
    assert shared.interval is not None
    assert shared.interval.method == "bootstrap over people"


def test_bootstrap_totals_in_closed_form_equal_the_sum_over_pairs() -> None:
    """All pairs of many photos use ½((Σwn)² − Σ(wn)²); it must be the sum over the pairs themselves."""
    generator = np.random.default_rng(3)
    photos = generator.integers(1, 6, 12)
    people = np.repeat(np.arange(12), photos)
    for w in (np.ones(12, int), generator.integers(0, 4, 12)):
        slow = sum(w[i] * w[j] for i, j in combinations(people.tolist(), 2) if i != j)
        weighted = (w * photos).astype(float)
        assert (weighted.sum() ** 2 - (weighted**2).sum()) / 2 == slow


def test_nothing_failed_gives_the_rule_of_three_over_separate_pairs() -> None:
    scores = pair_scores()
    rate = at_threshold(scores, PeopleDraws(scores), "x", 5.0).fnmr
    assert rate.value == 0
    assert rate.interval is not None
    assert rate.interval.method == "rule of three"
    people = len(set(scores.person_a[scores.same].tolist()))
    assert rate.interval.high == pytest.approx(1 - 0.05 ** (1 / people))


def test_protocol_folds_are_used_as_they_are() -> None:
    scores = pair_scores()
    folds = np.arange(len(scores.a)) // 40
    own = Scores(scores.distances, scores.same, scores.a, scores.b, scores.person_a, scores.person_b, folds=folds)
    result = k_fold(own, 3)
    assert [fold.pairs for fold in result.folds] == [40] * 10
    assert "protocol" in result.how


def test_groups_are_plain_shares() -> None:
    scores = pair_scores()
    groups = ["x" if i % 3 else "y" for i in range(len(scores.a))]
    groups[0] = ""
    result = verify_all(scores, groups={"light": groups}, group_threshold=0.6)
    for row in result.groups:
        here = np.array([g == row.group for g in groups])
        assert row.fmr is not None
        assert row.fnmr is not None
        assert row.fmr.value == pytest.approx((scores.distances[here & ~scores.same] < 0.6).mean())
        assert row.fnmr.value == pytest.approx((scores.distances[here & scores.same] >= 0.6).mean())
    assert [row.group for row in result.groups] == ["x", "y"]


def test_one_class_empty() -> None:
    scores = pair_scores()
    with pytest.raises(NotEnoughDataError, match="both kinds"):
        verify_all(Scores(scores.distances, np.ones(400, bool), scores.a, scores.b, scores.person_a, scores.person_a))


def test_a_pair_with_an_unfound_face_is_at_infinity() -> None:
    found = np.array([True, True, False])
    embedded = EmbeddedPhotos(
        EmbeddingSpace("e", "d", "a"), np.eye(3, dtype=np.float32), found, ("", "", ""), (), 3, 0, 1.0
    )
    pairs = PairList(
        "x",
        "y",
        (Path("a"), Path("b"), Path("c")),
        np.array([0, 0]),
        np.array([1, 2]),
        np.array([True, False]),
        np.array([0, 0, 1]),
    )
    assert score_pairs(pairs, embedded).distances.tolist() == pytest.approx([math.sqrt(2), math.inf])


def test_the_draws_agree_with_a_slow_loop_over_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of pairs by gathering, by a table of people, and by closed form: one interval, that of the plain loop."""
    generator = np.random.default_rng(5)
    people = np.repeat(np.arange(15), generator.integers(1, 5, 15))
    a, b = np.triu_indices(len(people), 1)
    same = people[a] == people[b]
    distances = np.where(same, 0.5, 0.9).astype(np.float32) + generator.normal(0, 0.15, len(a)).astype(np.float32)
    count = np.bincount(people)
    scores = Scores(distances, same, a, b, people[a], people[b], photos_of=count)
    group = (people[a] < 8) & (people[b] < 8)
    for trials in (~same, ~same & group, same, np.ones(len(a), bool)):
        events = (distances < 0.7) & trials
        rates = []
        for w in people_weights(15, 1000):
            weight = [w[i] if i == j else w[i] * w[j] for i, j in zip(people[a], people[b], strict=True)]
            below = sum(x for x, t in zip(weight, trials, strict=True) if t)
            if below:
                rates.append(sum(x for x, e in zip(weight, events, strict=True) if e) / below)
        slow = np.quantile(rates, [0.025, 0.975])
        for most in (100_000, 0):  # under it pairs are gathered, above it a table of people is used
            monkeypatch.setattr("sameface.evaluation.resampling.MOST_PAIRS_TO_GATHER", most)
            interval = PeopleDraws(scores).rate(events, trials).interval
            assert interval is not None
            assert (interval.low, interval.high) == pytest.approx(tuple(slow))


def test_no_error_among_few_pairs_is_no_proof() -> None:
    """Where τ parts all pairs, every draw gives 0 errors; the interval must say how little few people prove."""
    people = np.repeat(np.arange(6), 2)
    a, b = np.triu_indices(12, 1)
    same = people[a] == people[b]
    distances = np.where(same, 0.2, 0.9).astype(np.float32)
    scores = Scores(distances, same, a, b, people[a], people[b], photos_of=np.bincount(people))
    result = verify_all(scores, folds=2)
    assert (result.eer.value, result.auc.value, result.tar[0].tar.value) == (0, 1, 1)
    assert result.eer.interval is not None
    assert result.auc.interval is not None
    assert result.tar[0].tar.interval is not None
    assert result.eer.interval.high == pytest.approx(1 - 0.05 ** (1 / 3))  # three pairs of six people share nobody
    assert result.auc.interval.low == pytest.approx(0.05 ** (1 / 3))
    assert result.tar[0].tar.interval.low == pytest.approx(0.05 ** (1 / 6))


def test_fewer_folds_where_people_are_few() -> None:
    people = np.repeat(np.arange(6), 2)
    a, b = np.triu_indices(12, 1)
    same = people[a] == people[b]
    distances = np.where(same, 0.2, 0.9).astype(np.float32)
    scores = Scores(distances, same, a, b, people[a], people[b], photos_of=np.bincount(people))
    assert len(k_fold(scores).folds) == 3
    with pytest.raises(NotEnoughDataError, match="10 folds"):
        k_fold(scores, 10)

"""Operating points: never above their target, refused without data, honest about small rates; probabilities that hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sameface.errors import NotEnoughDataError, SettingError
from sameface.evaluation.calibration import (
    choose_operating_point,
    confirm,
    measured_tail,
    photos_needed,
    smallest_supported_fmr,
)
from sameface.evaluation.probability import calibrate_probability
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.scores import Scores
from sameface.matching import identification_threshold, probability_same
from sameface.metrics import pairs_needed
from sameface.models.operating_points import load_operating_point, save_operating_point
from sameface.types import Damage, Domain, EmbeddingSpace

SPACE = EmbeddingSpace("e", "d", "a")


def people_scores(people: int = 120, photos: int = 4, seed: int = 0, spread: float = 0.055) -> Scores:
    """All pairs of photos that lie around a point per person: distances as an encoder gives them."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(0, 0.16, (people, 16))
    rows = np.repeat(centres, photos, axis=0) + generator.normal(0, spread, (people * photos, 16))
    person = np.repeat(np.arange(people), photos)
    a, b = np.triu_indices(len(rows), 1)
    distances = np.linalg.norm(rows[a] - rows[b], axis=1).astype(np.float32)
    who_a, who_b = person[a].astype(np.int32), person[b].astype(np.int32)
    return Scores(
        distances, who_a == who_b, a.astype(np.int32), b.astype(np.int32), who_a, who_b, np.full(people, photos)
    )


def test_point_keeps_its_target_and_says_what_it_stands_on() -> None:
    scores = people_scores()
    point = choose_operating_point(scores, SPACE, fmr=1e-3, data="here", protocol="all pairs")
    under = sum(d < point.threshold for d in scores.non_mated.tolist())
    assert under / len(scores.non_mated) == point.fmr <= 1e-3
    assert sum(d < point.threshold + 2e-4 for d in scores.non_mated.tolist()) / len(scores.non_mated) > 0.9e-3
    assert point.threshold == round(point.threshold, 4)
    assert point.fnmr == pytest.approx(np.mean(scores.mated >= point.threshold))
    assert (point.mated_pairs, point.non_mated_pairs, point.people) == (720, 480 * 479 // 2 - 720, 120)
    assert point.fmr_interval is not None
    assert point.fmr_interval.low <= point.fmr <= point.fmr_interval.high
    assert point.distances is not None
    middle = point.distances.levels.index(0.5)
    assert point.distances.mated[middle] == pytest.approx(np.median(scores.mated), abs=1e-3)


@settings(max_examples=8, deadline=None)
@given(target=st.floats(1e-3, 0.2), seed=st.integers(0, 50))
def test_no_target_is_exceeded(target: float, seed: int) -> None:
    scores = people_scores(90, 3, seed)
    point = choose_operating_point(scores, SPACE, fmr=target, draws=PeopleDraws(scores, replicates=20))
    assert point.fmr is not None
    assert point.fmr <= target


def test_tail_is_the_measured_curve_and_serves_tau_of_k() -> None:
    scores = people_scores()
    point = choose_operating_point(scores, SPACE, fmr=1e-3, draws=PeopleDraws(scores, replicates=20))
    assert point.tail
    for item in point.tail:
        assert item.fmr == sum(d < item.threshold for d in scores.non_mated.tolist()) / len(scores.non_mated)
    rising = [(item.threshold, item.fmr) for item in point.tail]
    assert rising == sorted(rising)
    assert len({fmr for _, fmr in rising}) == len(rising)
    assert point.tail[0].fmr <= point.smallest_fmr
    small, large = identification_threshold(point, 2, 0.01), identification_threshold(point, 10, 0.01)
    assert small is not None
    assert large is not None
    assert large <= small <= point.threshold
    assert identification_threshold(point, 100_000, 0.01) is None


def test_smallest_fmr_counts_pairs_of_people_not_pairs_of_photos() -> None:
    scores = people_scores(60, 4)
    base = smallest_supported_fmr(scores)
    non_mated = np.sort(scores.non_mated)
    threshold = non_mated[round(base * len(non_mated)) - 1]
    near = ~scores.same & (scores.distances <= threshold)
    pairs = {
        (min(x, y), max(x, y))
        for x, y in zip(scores.person_a[near].tolist(), scores.person_b[near].tolist(), strict=True)
    }
    assert len(pairs) == 30
    # One pair of look-alikes with all their photos adds 16 false matches, but is one event.
    twins = (scores.person_a == 0) & (scores.person_b == 1)
    closer = scores.distances.copy()
    closer[twins] = 0.01
    alike = Scores(closer, scores.same, scores.a, scores.b, scores.person_a, scores.person_b, scores.photos_of)
    assert smallest_supported_fmr(alike) > base
    few = people_scores(6, 4)  # 15 pairs of people in all
    assert smallest_supported_fmr(few) == 1.0
    assert measured_tail(few.non_mated, 1.0, 0.01) == ()


def test_too_few_pairs_are_refused_with_the_number_needed() -> None:
    scores = people_scores(30, 2)
    with pytest.raises(NotEnoughDataError, match="30,000 non-mated pairs") as caught:
        choose_operating_point(scores, SPACE, fmr=1e-3)
    assert "photos of 246 different people" in str(caught.value)
    assert photos_needed(30_000) * (photos_needed(30_000) - 1) // 2 >= 30_000
    assert photos_needed(pairs_needed(1e-320)) > 10**100  # a rate that nobody can claim is no overflow
    point = choose_operating_point(scores, SPACE, fmr=0.05)
    assert point.fmr is not None
    assert point.fmr <= 0.05


def test_confirmation_is_scored_on_other_people() -> None:
    scores = people_scores()
    point = choose_operating_point(scores, SPACE, fmr=1e-3, draws=PeopleDraws(scores, replicates=20))
    other = people_scores(seed=5)
    seen = confirm(point, other, data="there", protocol="all pairs")
    assert seen["fmr"] == pytest.approx(np.mean(other.non_mated < point.threshold))
    assert seen["fnmr"] == pytest.approx(np.mean(other.mated >= point.threshold))
    assert seen["people"] == 120


def test_points_survive_their_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    scores = people_scores(40)
    point = choose_operating_point(scores, SPACE, fmr=1e-2, draws=PeopleDraws(scores, replicates=20))
    point = replace(
        point,
        probability=calibrate_probability(scores).calibration,
        confirmed=confirm(point, scores, data="x", protocol="y"),
    )
    numbers = tuple(float(number) / 7 for number in range(-500, 500))
    point = replace(
        point, domain=Domain(numbers, numbers, (1e-9, 3.0), 0.5, 1.0, 2.0, 0.9, (Damage("dark", None, 0.5),))
    )
    save_operating_point(point, tmp_path / "point.json")
    assert load_operating_point(tmp_path / "point.json") == point
    assert (tmp_path / "point.json").read_text().count("\n") < 300  # thousands of numbers are no thousands of lines


# -- probability ------------------------------------------------------------------------------------------------------
def logistic_scores(n: int = 12_000, seed: int = 1) -> Scores:
    """Pairs whose truth is drawn from known odds: 9 − 15 d. Each pair shows people of its own."""
    generator = np.random.default_rng(seed)
    distances = generator.uniform(0.2, 1.0, n).astype(np.float32)
    same = generator.random(n) < 1 / (1 + np.exp(-(9 - 15 * distances)))
    index = np.arange(n, dtype=np.int32)
    return Scores(distances, same, index, index, 2 * index, np.where(same, 2 * index, 2 * index + 1).astype(np.int32))


def test_known_odds_are_found_again() -> None:
    scores = logistic_scores()
    share = scores.same.mean()
    fitted = calibrate_probability(scores, prior=float(share))
    assert fitted.calibration.kind == "logistic"
    assert fitted.calibration.slope == pytest.approx(-15, rel=0.08)
    assert fitted.calibration.intercept == pytest.approx(9, rel=0.08)
    for item in fitted.bins:
        assert item.observed == pytest.approx(item.predicted, abs=0.08)


def test_the_prior_is_kept_and_can_be_changed() -> None:
    scores = logistic_scores()
    half = calibrate_probability(scores).calibration
    assert half.prior == 0.5
    share = float(scores.same.mean())
    own = calibrate_probability(scores, prior=share).calibration
    for distance in (0.4, 0.6, 0.8):
        moved = probability_same(half, distance, prior=share)
        direct = probability_same(own, distance)
        assert moved == pytest.approx(direct, abs=0.03)


def test_isotonic_where_the_odds_are_no_line() -> None:
    generator = np.random.default_rng(0)
    scores = logistic_scores()
    steps = np.where(scores.distances < 0.4, 0.98, np.where(scores.distances < 0.8, 0.5, 0.02))
    same = generator.random(len(steps)) < steps
    bent = Scores(
        scores.distances,
        same,
        scores.a,
        scores.b,
        scores.person_a,
        np.where(same, scores.person_a, scores.person_a + 1),
    )
    fitted = calibrate_probability(bent, prior=float(same.mean()))
    assert fitted.calibration.kind == "isotonic"
    at, odds = zip(*fitted.calibration.knots, strict=True)
    assert list(at) == sorted(at)
    assert list(odds) == sorted(odds, reverse=True)
    for distance, expected in ((0.3, 0.98), (0.6, 0.5), (0.9, 0.02)):
        assert probability_same(fitted.calibration, distance) == pytest.approx(expected, abs=0.05)


def test_probability_needs_pairs_and_a_prior() -> None:
    scores = logistic_scores(40)
    with pytest.raises(NotEnoughDataError, match="30"):
        calibrate_probability(scores)
    with pytest.raises(SettingError):
        calibrate_probability(scores, prior=1.0)

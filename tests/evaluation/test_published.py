"""The numbers that papers print, beside the publishers' own steps written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sameface.errors import DataError, NotEnoughDataError, SettingError
from sameface.evaluation.published import PROTOCOLS, check_protocol, grid_accuracy, protocol_named, published
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.results import PublishedNumber
from sameface.evaluation.scores import Scores
from sameface.evaluation.verification import verify_all
from sameface.metrics import area_under_curve


def in_folds(n: int = 6000, failures: int = 0) -> Scores:
    """Pairs of unit vectors in ten folds, half of them mated, each of people of its own."""
    generator = np.random.default_rng(1)
    same = np.arange(n) % 2 == 0
    cosines = np.where(same, generator.normal(0.6, 0.15, n), generator.normal(0.1, 0.15, n)).clip(-1, 1)
    distances = np.sqrt(2 - 2 * cosines).astype(np.float32)
    distances[generator.choice(n, failures, replace=False)] = np.inf
    index = np.arange(n, dtype=np.int32)
    people = 2 * index
    return Scores(
        distances, same, index, index + n, people, np.where(same, people, people + 1), folds=np.arange(n) * 10 // n
    )


def numbers(name: str, scores: Scores, **groups: np.ndarray) -> dict[tuple[str, str], PublishedNumber]:
    draws = PeopleDraws(scores)
    found = published(protocol_named(name), draws, verify_all(scores, draws=draws, groups=groups))
    return {(item.form, item.measure): item for item in found}


def test_insightfaces_script() -> None:
    """`calculate_roc` and `calculate_accuracy` of verification.py, over squared distances."""
    model_selection = pytest.importorskip("sklearn.model_selection")
    scores = in_folds()
    dist = np.square(scores.distances.astype(np.float64))
    thresholds = np.arange(0, 4, 0.01)
    accuracies = []
    for train, test in model_selection.KFold(n_splits=10, shuffle=False).split(np.arange(6000)):
        right = [np.mean(np.less(dist[train], threshold) == scores.same[train]) for threshold in thresholds]
        best = thresholds[np.argmax(right)]
        accuracies.append(np.mean(np.less(dist[test], best) == scores.same[test]))
    assert scores.folds is not None
    assert grid_accuracy(scores.distances, scores.same, scores.folds) == pytest.approx(
        (np.mean(accuracies), np.std(accuracies))
    )
    item = numbers("agedb-30", scores)["InsightFace", "accuracy"]
    assert (item.value, item.spread) == pytest.approx((np.mean(accuracies), np.std(accuracies)))


def test_lfws_form_is_mean_and_standard_error() -> None:
    scores = in_folds(failures=30)
    item = numbers("lfw", scores)["LFW", "accuracy"]
    accuracy = verify_all(scores).accuracy
    assert (item.value, item.spread) == (accuracy.mean, accuracy.standard_error)
    right = 0
    assert scores.folds is not None
    for distance, same, fold in zip(scores.distances, scores.same, scores.folds, strict=True):
        threshold = accuracy.folds[fold].threshold
        right += (distance < threshold) if same else (threshold <= distance < np.inf)
    assert item.ours is not None
    assert (item.ours.events, item.ours.trials) == (right, 6000)
    assert item.ours.interval is not None
    assert item.ours.interval.low < item.value < item.ours.interval.high


def test_cfps_form_is_mean_and_deviation_over_folds() -> None:
    scores = in_folds(7000)
    found = numbers("cfp-fp", scores)
    assert scores.folds is not None
    areas = []
    for fold in range(10):
        here = scores.folds == fold
        areas.append(area_under_curve(scores.distances[here & scores.same], scores.distances[here & ~scores.same]))
    item = found["CFP", "AUC"]
    assert (item.value, item.spread) == pytest.approx((np.mean(areas), np.std(areas, ddof=1)))
    assert {measure for _, measure in found} == {"accuracy", "EER", "AUC"}
    assert found["CFP", "EER"].ours == verify_all(scores).eer


def test_rfws_form_is_an_accuracy_for_each_group() -> None:
    scores = in_folds()
    race = np.array(["African", "Asian", "Caucasian", "Indian"])[np.arange(6000) // 2 % 4]
    found = numbers("rfw", scores, race=race)
    each = [found["RFW", f"accuracy of {group}"].value for group in sorted(set(race))]
    mean = found["RFW", "mean over groups"]
    assert (mean.value, mean.spread) == pytest.approx((np.mean(each), np.std(each)))


def test_what_is_no_such_protocol() -> None:
    with pytest.raises(SettingError, match="agedb-30"):
        protocol_named("lfv")
    scores = in_folds()
    assert check_protocol(PROTOCOLS["lfw"], scores) == ""
    assert "7000 pairs in 10 folds, here are 6000" in check_protocol(PROTOCOLS["cfp-fp"], scores)
    with pytest.raises(DataError, match="folds"):
        check_protocol(PROTOCOLS["lfw"], replace(scores, folds=None))


def test_the_grid_is_for_unit_vectors() -> None:
    scores = in_folds()
    assert scores.folds is not None
    with pytest.raises(NotEnoughDataError, match="length 1"):
        grid_accuracy(3 * scores.distances, scores.same, scores.folds)
    long = replace(scores, distances=3 * scores.distances)
    assert {form for form, _ in numbers("lfw", long)} == {"LFW"}

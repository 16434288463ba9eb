"""The estimators against scikit-learn's own checks, its own classifiers, and arithmetic by hand."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sameface.compat.estimators import FaceEncoder, OneShotClassifier, PairVerifier
from sameface.errors import (
    CropError,
    ImageNotFoundError,
    NotComparableError,
    NoThresholdError,
    SettingError,
    UnknownModelError,
)
from sameface.types import Domain, EmbeddingSpace, OperatingPoint, ProbabilityCalibration, TailPoint

SPACE = EmbeddingSpace("test", "none", "none")
CALIBRATION = ProbabilityCalibration("logistic", prior=0.5, slope=-10.0, intercept=6.0)
# FMR 0.01 at τ 0.5, 0.005 at 0.4, 0.001 at 0.2; 1:1 at 0.6.
POINT = OperatingPoint(
    0.6,
    SPACE,
    "FMR 0.02",
    tail=(TailPoint(0.2, 0.001), TailPoint(0.4, 0.005), TailPoint(0.5, 0.01)),
    smallest_fmr=0.001,
    probability=CALIBRATION,
)


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.SkipTestWarning", "ignore::sklearn.exceptions.EstimatorCheckFailedWarning"
)
@pytest.mark.parametrize(
    ("estimator", "does_not_apply"),
    [
        (OneShotClassifier(math.inf), {}),
        (
            OneShotClassifier(1e9),
            {"check_classifiers_classes": "an open set can answer one label more than it has seen"},
        ),
        (PairVerifier(), {}),
        (PairVerifier(target_fmr=0.1), {}),
        (PairVerifier(threshold=1.0), {}),
        (
            PairVerifier(probability=True),
            {
                "check_classifiers_train": "the decision is by τ, not by the probability",
                "check_decision_proba_consistency": "blobs whose mates are farther apart than others turn the map round",
            },
        ),
    ],
    ids=str,
)
def test_scikit_learn_accepts_it(estimator, does_not_apply):
    results = check_estimator(estimator, expected_failed_checks=does_not_apply, on_fail=None)
    bad = {item["check_name"]: item["exception"] for item in results if item["status"] == "failed"}
    assert not bad
    assert sum(item["status"] == "passed" for item in results) >= 50


def test_closed_set_is_the_nearest_neighbour():
    X, y = make_blobs(n_samples=120, centers=6, n_features=8, cluster_std=3.0, random_state=3)
    ours = OneShotClassifier(math.inf).fit(X[:60], y[:60])
    theirs = KNeighborsClassifier(1, algorithm="brute").fit(X[:60], y[:60])
    np.testing.assert_array_equal(ours.predict(X[60:]), theirs.predict(X[60:]))
    for mine, reference in zip(ours.kneighbors(X[60:], 4), theirs.kneighbors(X[60:], 4), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-6)


def test_who_is_near_nobody_is_unknown():
    gallery = OneShotClassifier(0.5).fit([[0.0], [1.0]], ["Ada", "Grace"])
    assert gallery.predict([[0.2], [0.499999], [0.5], [3.0]]).tolist() == ["Ada", "Ada", "unknown", "unknown"]
    assert gallery.classes_.tolist() == ["Ada", "Grace", "unknown"]
    assert OneShotClassifier(0.0).fit([[0.0]], ["Ada"]).predict([[0.0]]).tolist() == ["unknown"]


def test_threshold_gets_stricter_with_the_number_of_templates():
    X = np.arange(10.0)[:, np.newaxis] * 10
    names = [f"person {index}" for index in range(10)]
    assert OneShotClassifier(POINT).fit(X[:1], names[:1]).threshold_ == 0.5  # FMR 0.01 for K = 1
    assert OneShotClassifier(POINT).fit(X[:2], names[:2]).threshold_ == 0.4  # 0.005 for K = 2
    assert OneShotClassifier(POINT).fit(X, names).threshold_ == 0.2  # 0.001 for K = 10
    many = OneShotClassifier(POINT, fpir=0.001).fit(X, names)  # 0.0001: more than the data behind τ support
    assert many.predict(X).tolist() == ["unknown"] * 10


def test_without_an_operating_point_nothing_is_decided():
    with pytest.raises(NoThresholdError):
        OneShotClassifier().fit([[0.0]], ["Ada"])


def test_rows_of_unknown_people_are_not_enrolled():
    gallery = OneShotClassifier(1.0, unknown_label=-1).fit([[0.0], [5.0], [9.0]], [7, -1, 8])
    assert gallery.people_.tolist() == [7, 8]
    assert gallery.predict([[5.0], [9.0]]).tolist() == [-1, 8]
    assert gallery.score([[5.0], [9.0], [0.0]], [-1, 8, 7]) == 1.0
    with pytest.raises(ValueError, match="nobody to enroll"):
        OneShotClassifier(1.0, unknown_label="?").fit([[0.0]], ["?"])


def test_a_photo_without_a_face_is_nobody():
    gallery = OneShotClassifier(1.0).fit([[0.0], [math.nan]], ["Ada", "Grace"])
    assert gallery.people_.tolist() == ["Ada"]
    assert gallery.predict([[math.nan], [0.0]]).tolist() == ["unknown", "Ada"]


def test_partial_fit_adds_people_one_photo_at_a_time():
    X, y = make_blobs(n_samples=40, centers=4, random_state=0)
    whole = OneShotClassifier(2.0).fit(X, y)
    grown = OneShotClassifier(2.0)
    for row, label in zip(X, y, strict=True):
        grown.partial_fit([row], [label])
    np.testing.assert_array_equal(whole.predict(X + 0.3), grown.predict(X + 0.3))
    assert grown.classes_.tolist() == whole.classes_.tolist()


def test_probabilities_by_hand():
    gallery = OneShotClassifier(POINT, prior_known=0.5).fit([[0.0], [1.0]], ["Ada", "zoe"])
    found = gallery.predict_proba([[0.1]])
    # Likelihood ratios e^(6 - 1), e^(6 - 9); weights of Ada, nobody, zoe:
    weights = np.array([0.25 * math.exp(5), 0.5, 0.25 * math.exp(-3)])
    assert gallery.classes_.tolist() == ["Ada", "unknown", "zoe"]
    np.testing.assert_allclose(found[0], weights / weights.sum(), rtol=1e-12)
    assert gallery.predict_proba([[math.nan]])[0].tolist() == [0.0, 1.0, 0.0]


def test_no_probability_without_a_calibration():
    assert not hasattr(OneShotClassifier(0.6), "predict_proba")
    assert not hasattr(PairVerifier(), "predict_proba")
    assert hasattr(OneShotClassifier(POINT), "predict_proba")


def test_isotonic_calibration_interpolates():
    steps = ProbabilityCalibration("isotonic", prior=0.5, knots=((0.0, 4.0), (1.0, -4.0)))
    point = OperatingPoint(0.6, SPACE, "x", tail=POINT.tail, smallest_fmr=0.001, probability=steps)
    found = OneShotClassifier(point).fit([[0.0]], ["Ada"]).predict_proba([[0.25]])
    assert found[0, 0] == pytest.approx(1 / (1 + math.exp(-2.0)))


@pytest.mark.parametrize(
    "estimator",
    [OneShotClassifier(POINT, fpir=0.02), PairVerifier(target_fmr=0.1), FaceEncoder("pixels", detector=None)],
)
def test_clones_and_pickles(estimator):
    for copy in (clone(estimator), pickle.loads(pickle.dumps(estimator))):
        assert copy.get_params() == estimator.get_params()


def test_pair_verifier_learns_the_threshold_it_was_asked_for():
    rng = np.random.default_rng(1)
    apart = np.concatenate([rng.normal(0.4, 0.1, 500), rng.normal(0.9, 0.1, 2000)])
    same = np.arange(2500) < 500
    pairs = np.zeros((2500, 2, 3))
    pairs[:, 1, 0] = apart
    strict = PairVerifier(target_fmr=0.01).fit(pairs, same)
    accepted = strict.predict(pairs)
    assert accepted[~same].sum() == 20  # exactly 1 % of 2000
    assert strict.threshold_ == np.sort(np.abs(apart[~same]))[20]
    np.testing.assert_array_equal(strict.decision_function(pairs) > 0, accepted)
    loose = PairVerifier(probability=True).fit(pairs[:, 0] - pairs[:, 1], same)
    assert loose.score(pairs, same) > 0.98
    assert loose.predict_proba(pairs[:1])[0, 1] > 0.9


def test_pairs_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 2, d\)"):
        PairVerifier().fit(np.zeros((4, 3, 5)), [0, 1, 0, 1])


def test_grid_search_chooses_a_threshold_for_open_sets():
    rng = np.random.default_rng(0)
    centres = np.eye(6) * 2
    X = np.concatenate(
        [centres[person] + rng.normal(0, 0.2, (10, 6)) for person in range(5)]
        + [rng.normal(0, 0.5, (50, 6)) + centres[5]]
    )
    y = np.array([f"p{person}" for person in range(5) for _ in range(10)] + ["unknown"] * 50)
    search = GridSearchCV(OneShotClassifier(1.0), {"operating_point": [0.01, 1.2, 10.0]}, cv=StratifiedKFold(5))
    search.fit(X, y)
    assert search.best_params_ == {"operating_point": 1.2}  # 0.01 names nobody, 10 everybody
    assert search.best_score_ > 0.95
    assert (
        cross_val_score(search.best_estimator_, X, y, scoring=make_scorer(recall_score, average="macro")).mean() > 0.9
    )


# -- photos -----------------------------------------------------------------------------------------------------------
def test_crops_in_embeddings_out():
    crops = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    encoder = FaceEncoder("pixels", detector=None)
    found = encoder.fit_transform(crops)
    assert (found.shape, found.dtype) == ((3, 160 * 160 * 3), np.float32)
    np.testing.assert_array_equal(found, encoder.transform(list(crops)))
    assert len(encoder.get_feature_names_out()) == 160 * 160 * 3
    assert encoder.transform([]).shape == (0, 160 * 160 * 3)


def test_bad_crops_and_settings():
    with pytest.raises(CropError):
        FaceEncoder("pixels", detector=None).transform(np.zeros((1, 4, 4, 3)))
    with pytest.raises(SettingError):
        FaceEncoder("pixels", detector=None).transform([np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8)])
    with pytest.raises(SettingError):
        FaceEncoder("pixels", detector=None, missing="drop").fit([])
    with pytest.raises(SettingError, match="outside"):
        FaceEncoder("pixels", detector=None, outside="drop").fit([])
    with pytest.raises(UnknownModelError):
        FaceEncoder("no-such", detector=None).fit([])


def test_orl_faces_through_a_pipeline(data: Path):
    files = [data / "orl" / f"s{person}" / f"{number}.pgm" for person in range(1, 11) for number in range(1, 7)]
    labels = np.repeat(np.arange(10), 6)
    pipeline = make_pipeline(FaceEncoder("pixels", detector=None), KNeighborsClassifier(1))
    assert cross_val_score(pipeline, files, labels, cv=3).mean() > 0.8


def test_photos_keep_their_rows(photos: Path):
    files = [
        photos / "obama.jpg",
        np.zeros((200, 200, 3), np.uint8),
        photos / "biden.jpg",
        photos / "obama2.jpg",
        "nowhere.jpg",
    ]
    found = FaceEncoder("dlib-resnet", missing="nan").fit_transform(files)
    assert found.shape == (5, 128)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, False, True]
    gallery = OneShotClassifier(0.6).fit(found[:3], ["Barack Obama", "?", "Joe Biden"])
    assert gallery.predict(found[3:]).tolist() == ["Barack Obama", "unknown"]
    with pytest.raises(ImageNotFoundError):
        FaceEncoder("dlib-resnet").transform(files[3:])


def test_faces_that_are_not_comparable_are_missing_unless_they_are_kept(photos: Path, tmp_path: Path):
    blurred = tmp_path / "blurred.png"
    with Image.open(photos / "biden.jpg") as picture:
        picture.reduce(2).filter(ImageFilter.GaussianBlur(12)).save(blurred)
    files = [photos / "obama.jpg", blurred, np.zeros((99, 99, 3), np.uint8)]
    encoder = FaceEncoder(missing="nan")
    assert encoder.standings(files).tolist() == ["usual", "outside", "unknown"]
    assert np.isnan(encoder.fit_transform(files)).all(axis=1).tolist() == [False, True, True]
    kept = FaceEncoder(missing="nan", outside="keep").fit_transform(files)
    assert np.isnan(kept).all(axis=1).tolist() == [False, False, True]
    with pytest.raises(NotComparableError, match="blurred"):
        FaceEncoder().transform(files[:2])
    assert FaceEncoder("pixels", detector=None).standings(np.zeros((2, 8, 8, 3), np.uint8)).tolist() == ["unknown"] * 2


def test_a_poor_face_has_its_stricter_threshold_and_one_outside_is_nobody_known():
    domain = Domain((), (), (), 0.0, usual=0.0, limit=1.0, threshold=0.45)
    gallery = OneShotClassifier(replace(POINT, domain=domain), fpir=0.01).fit([[0.0]], ["Ada"])
    assert gallery.threshold_ == pytest.approx(0.5)  # τ(1); 0.15 less for poor faces, as τ is
    probes = [[0.3], [0.4], [0.3], [0.4], [0.3]]
    standing = ["usual", "unknown", "poor", "poor", "outside"]
    assert gallery.predict(probes, standing).tolist() == ["Ada", "Ada", "Ada", "unknown", "unknown"]
    assert gallery.predict(probes).tolist() == ["Ada"] * 5
    closed = OneShotClassifier(math.inf).fit([[0.0], [9.0]], ["Ada", "Grace"])
    with pytest.raises(ValueError, match="words"):
        closed.predict(probes, ["good"] * 5)

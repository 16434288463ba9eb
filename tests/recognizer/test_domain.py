"""Where a face stands, by hand-made domains."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sameface.errors import CalibrationError, NotComparableError
from sameface.evaluation.disturbances import ALL, USUAL
from sameface.faces.measures import MEASURES
from sameface.faces.shape import SHAPES
from sameface.models.operating_points import shipped_operating_points
from sameface.recognizer.domain import (
    Evidence,
    Judgement,
    Standing,
    feature_count,
    features,
    judge,
    probability_for,
    require_comparable,
    threshold_for,
    worst,
)
from sameface.recognizer.identify import decide
from sameface.types import (
    Box,
    Candidate,
    Damage,
    Domain,
    EmbeddingSpace,
    OperatingPoint,
    ProbabilityCalibration,
    TailPoint,
)

D = 2
COUNT = feature_count(D)


def seen(length: float = 10.0, turned: float | None = 0.0) -> Evidence:
    return Evidence(length, np.zeros(len(MEASURES), np.float32), 0.9, 64.0, turned)


def by_length(**more: object) -> Domain:
    """Scores a face by 10 minus the length of its embedding, and by nothing else."""
    weights = np.zeros(COUNT)
    weights[D + len(MEASURES)] = -1.0
    fields = {"usual": 1.0, "limit": 3.0, "threshold": 0.8} | more
    return Domain((0.0,) * COUNT, (1.0,) * COUNT, tuple(weights.tolist()), 10.0, **fields)  # type: ignore[arg-type]


def point(domain: Domain | None = None) -> OperatingPoint:
    tail = (TailPoint(0.5, 1e-6), TailPoint(0.9, 1e-4), TailPoint(1.0, 1e-3))
    return OperatingPoint(1.0, EmbeddingSpace("e", "d", "a"), "FMR 0.001", tail=tail, domain=domain)


def test_features_stand_in_their_order() -> None:
    row = features([0.6, 0.8], Evidence(5.0, np.arange(26, dtype=np.float32), 0.7, 32.0, None))
    assert row[:2].tolist() == [0.6, 0.8]
    assert row[2:28].tolist() == list(range(26))
    assert row[28:32].tolist() == [5.0, 0.2, 0.7, 5.0]  # length, one over it, confidence, log2 of 32
    assert np.isnan(row[32:]).all()
    shape = np.arange(SHAPES, dtype=np.float64)
    assert features([0.6, 0.8], dataclasses.replace(seen(), shape=shape))[33:].tolist() == shape.tolist()
    assert len(row) == COUNT
    assert len(row) == COUNT


@pytest.mark.parametrize(
    ("length", "standing"), [(12.0, "usual"), (9.0, "usual"), (8.9, "poor"), (7.0, "poor"), (6.9, "outside")]
)
def test_a_face_stands_where_its_score_says_limits_included(length: float, standing: str) -> None:
    assert judge(point(by_length()), [0.6, 0.8], seen(length)).standing == standing


def test_what_is_not_known_counts_as_the_mean() -> None:
    weights = tuple(float(place == COUNT - SHAPES - 1) for place in range(COUNT))  # how far it is turned, alone
    domain = dataclasses.replace(by_length(), weights=weights, mean=(0.2,) * COUNT, bias=0.0)
    assert judge(point(domain), [0.6, 0.8], seen(turned=None)).score == 0.0
    assert judge(point(domain), [0.6, 0.8], seen(turned=0.7)).score == pytest.approx(0.5)


@pytest.mark.parametrize("encoder", ["sface-2021dec-unit", "sface-2021dec-unit-int8"])
def test_domains_that_ship_are_of_todays_features(encoder: str) -> None:
    (shipped,) = shipped_operating_points(encoder)
    assert shipped.domain is not None
    assert len(shipped.domain.weights) == feature_count(128)
    assert shipped.domain.usual < shipped.domain.limit
    assert 0 < shipped.domain.threshold <= shipped.threshold
    learned = {kind.name for kind in shipped.domain.kinds}
    assert {kind.name for kind in USUAL} <= learned <= {kind.name for kind in ALL}  # stripes give no face


def test_without_a_domain_or_a_face_it_is_said_that_nothing_is_known() -> None:
    measured = judge(point(), [0.6, 0.8], seen(1.0))
    assert (measured.standing, measured.reason) == (
        "unknown",
        "that was not measured",
    )
    assert judge(point(by_length()), [0.6, 0.8], None).standing == "unknown"
    require_comparable(measured)
    assert threshold_for(point(by_length()), "unknown") == 1.0


@pytest.mark.parametrize(("standing", "told"), [("usual", 0.5), ("unknown", 0.5), ("poor", None), ("outside", None)])
def test_a_probability_is_there_for_faces_like_those_it_was_calibrated_on(
    standing: Standing, told: float | None
) -> None:
    calibrated = dataclasses.replace(
        point(by_length()), probability=ProbabilityCalibration("logistic", slope=-10.0, intercept=6.0)
    )
    assert probability_for(calibrated, 0.6, standing) == told


def test_the_reason_is_what_the_face_looks_most_like() -> None:
    far, near = [0.0] * COUNT, [0.0] * COUNT
    near[D + len(MEASURES)] = 6.0
    kinds = (Damage("dark", 0.5, 0.1, tuple(far)), Damage("blurred", 0.034, 0.1, tuple(near)))
    judged = judge(point(by_length(kinds=kinds)), [0.0, 0.0], seen(6.0))
    assert judged.standing == "outside"
    assert judged.reason == "it looks blurred: of such photos 3 of 100 pairs of strangers pass"
    kinds = (Damage("blurred", 0.001, 0.1, tuple(near)),)  # a rate like that of any photos explains nothing
    assert judge(point(by_length(kinds=kinds)), [0.0, 0.0], seen(6.0)).reason == "it looks blurred"


def test_a_domain_of_another_encoder_is_refused() -> None:
    with pytest.raises(CalibrationError, match="features"):
        judge(point(by_length()), [0.6, 0.8, 0.0], seen())


def test_the_worse_face_decides_and_has_its_own_threshold() -> None:
    usual, poor, outside = Judgement("usual"), Judgement("poor", "dark"), Judgement("outside", "blurred")
    assert worst(usual, outside, poor) is outside
    assert [threshold_for(point(by_length()), kind) for kind in ("usual", "poor", "outside")] == [1.0, 0.8, 0.8]
    assert threshold_for(point(), "poor") == 1.0
    require_comparable(poor)
    require_comparable(outside, force=True)
    with pytest.raises(NotComparableError, match=r"in door\.jpg; got one that is not comparable \(blurred\)"):
        require_comparable(outside, photo="door.jpg")


def test_a_search_names_nobody_for_a_face_outside_and_is_stricter_with_a_poor_one() -> None:
    ada = [Candidate("1" * 32, "Ada", 0.75)]
    given = (Box(0, 0, 9, 9), ada, 100, point(by_length()), 0.01, 3)  # τ(100) = 0.9 at FMR 1e-4
    assert decide(*given).name == "Ada"
    poor = decide(*given, Judgement("poor", "dark"))
    assert poor.name is None  # 0.9 − (1.0 − 0.8)
    assert poor.threshold == pytest.approx(0.7)
    outside = decide(*given, Judgement("outside", "it looks blurred"))
    assert (outside.name, outside.standing, outside.why) == (None, "outside", "not comparable: it looks blurred")
    assert not outside.forced
    near = [Candidate("1" * 32, "Ada", 0.65)]
    forced = decide(Box(0, 0, 9, 9), near, 100, point(by_length()), 0.01, 3, Judgement("outside", "fog"), force=True)
    assert (forced.name, forced.forced, forced.standing_reason) == ("Ada", True, "fog")

"""The decision rule, and the search, against plain loops and hand calculations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import EmbeddingError, SettingError
from sameface.matching import (
    as_threshold,
    distance,
    distances,
    false_match_rate_for,
    identification_threshold,
    is_same,
    nearest,
    probability_same,
    unit_length,
)
from sameface.types import EmbeddingSpace, OperatingPoint, ProbabilityCalibration, TailPoint

SPACE = EmbeddingSpace("e", "d", "a")
vectors = st.lists(st.floats(-10, 10, width=32), min_size=3, max_size=3)


def who_is_it(probe: list[float], database: dict[str, list[float]]) -> tuple[str | None, float]:
    """The textbook's loop over everybody."""
    identity, min_dist = None, math.inf
    for name, encoding in database.items():
        dist = math.sqrt(sum((p - e) ** 2 for p, e in zip(probe, encoding, strict=True)))
        if dist < min_dist:
            min_dist, identity = dist, name
    return identity, min_dist


@given(vectors, st.dictionaries(st.text(max_size=5), vectors, max_size=8))
def test_nearest_is_the_textbook_loop(probe: list[float], database: dict[str, list[float]]) -> None:
    name, apart = nearest(probe, database)
    expected_name, expected = who_is_it(probe, database)
    assert apart == pytest.approx(expected, abs=1e-9)
    if name != expected_name:  # a tie within rounding
        assert database[name] is not None  # type: ignore[index]
        assert distance(probe, database[expected_name]) == pytest.approx(apart, abs=1e-9)  # type: ignore[index]


def test_at_equality_the_answer_is_no() -> None:
    assert not is_same(0.6, 0.6)
    assert is_same(math.nextafter(0.6, 0), 0.6)
    assert not is_same(0.0, 0.0)  # τ = 0 is legal and accepts nobody


@pytest.mark.parametrize("other", ["b.jpg", Path("b.jpg"), b"jpeg", None, True, [0.5], np.zeros(2), math.nan, -0.1])
def test_only_numbers_are_decided_on(other: object) -> None:
    """Two paths, compared as texts, were "the same person"."""
    with pytest.raises(SettingError, match="verify"):
        is_same("a.jpg", "b.jpg")  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        is_same(other, 0.6)  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        is_same(0.5, other)  # type: ignore[arg-type]


def test_numbers_of_every_library_are_decided_on() -> None:
    assert is_same(np.float32(0.5), np.float64(0.6))  # type: ignore[arg-type]
    assert is_same(np.array(0.5), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("tau", [math.nan, math.inf, -math.inf, -1e-9, "0.4", None])
def test_what_is_no_threshold(tau: object) -> None:
    with pytest.raises(SettingError):
        as_threshold(tau)  # type: ignore[arg-type]


def test_no_distance_of_unit_vectors_exceeds_two() -> None:
    ends = np.array([1.0, 0.0]), np.array([-1.0, 0.0])
    assert distance(*ends) == 2.0 == as_threshold(2.0, unit_length=True)
    assert as_threshold(4.15) == 4.15  # raw embeddings may be longer
    with pytest.raises(SettingError, match="length 1"):
        as_threshold(4.15, unit_length=True)


@pytest.mark.parametrize("photo", ["a.jpg", Path("a.jpg"), b"jpeg", None, {"a": 1}, [[1.0], [1.0, 2.0]], object()])
def test_photos_are_no_embeddings(photo: object) -> None:
    for ask in (
        lambda: distance(photo, photo),  # type: ignore[arg-type]
        lambda: distance([0.0], photo),  # type: ignore[arg-type]
        lambda: nearest(photo, {"Ada": [0.0]}),  # type: ignore[arg-type]
        lambda: nearest([0.0], {"Ada": photo}),  # type: ignore[dict-item]
        lambda: nearest([0.0], [photo]),  # type: ignore[arg-type, list-item]
        lambda: distances(photo, np.zeros((1, 1))),  # type: ignore[arg-type]
        lambda: distances([0.0], photo),  # type: ignore[arg-type]
    ):
        with pytest.raises(EmbeddingError, match="verify"):
            ask()


def test_an_error_shows_no_photo() -> None:
    with pytest.raises(EmbeddingError) as caught:
        distance(b"x" * 1000, "y" * 1000)
    assert len(str(caught.value)) < 300


def test_ties_go_to_the_first() -> None:
    assert nearest([0.0], {"first": [1.0], "second": [-1.0]}) == ("first", 1.0)


def test_distances_agree_with_distance() -> None:
    rng = np.random.default_rng(0)
    probe, references = rng.normal(size=8).astype(np.float32), rng.normal(size=(5, 8)).astype(np.float32)
    assert distances(probe, references) == pytest.approx([distance(probe, row) for row in references], abs=1e-6)


@pytest.mark.parametrize("bad", [[math.nan, 1.0], [math.inf, 1.0], [], [[1.0, 2.0]]])
def test_what_is_no_embedding(bad: list[float]) -> None:
    with pytest.raises(EmbeddingError):
        distance(bad, [1.0, 2.0])


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_as_stored_or_as_a_list_is_one_distance(odd: float) -> None:
    """Arrays as encoders give them take a shorter way, to the same numbers and the same refusals."""
    a, b = np.random.default_rng(0).normal(size=(2, 128)).astype(np.float32)
    assert distance(a, b) == distance(a.tolist(), b.tolist()) == np.linalg.norm(a.astype(float) - b.astype(float))
    assert distance(a * 1e30, b * -1e30) == pytest.approx(1e30 * distance(a, -b), rel=1e-6)
    a[0] = odd
    for left, right in ((a, b), (b, a), (a, a)):
        with pytest.raises(EmbeddingError, match="finite"):
            distance(left, right)
    with pytest.raises(EmbeddingError, match="shape"):
        distance(b, b[:127])
    with pytest.raises(EmbeddingError, match="shape"):
        distance(b[:0], b[:0])


def test_two_encoders_never_meet() -> None:
    with pytest.raises(EmbeddingError, match="shape"):
        distance([1.0, 2.0], [1.0, 2.0, 3.0])


@given(st.floats(1e-4, 0.5), st.integers(1, 100_000))
def test_false_match_rate_inverts_the_formula(fpir: float, people: int) -> None:
    fmr = false_match_rate_for(fpir, people)
    assert 1 - (1 - fmr) ** people == pytest.approx(fpir, rel=1e-6)


TAIL = tuple(TailPoint(threshold / 10, 10.0 ** (threshold - 8)) for threshold in range(2, 6))
POINT = OperatingPoint(threshold=0.45, space=SPACE, target="FMR 0.001", tail=TAIL, smallest_fmr=1e-6)


def test_tau_of_k_by_hand() -> None:
    # FPIR 0.01 over 100: FMR 1.005e-4, the tail's 1e-4 is at 0.4; over 1000: 1.005e-5 at 0.3.
    assert identification_threshold(POINT, 100, 0.01) == 0.4
    assert identification_threshold(POINT, 1000, 0.01) == 0.3
    assert identification_threshold(POINT, 1, 0.01) == 0.45  # never above τ
    assert identification_threshold(POINT, 100_000, 0.01) is None  # 1e-7 is beyond what the data support


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_more_people_never_loosen(a: int, b: int) -> None:
    few, many = sorted((a, b))
    loose, tight = identification_threshold(POINT, few, 0.05), identification_threshold(POINT, many, 0.05)
    if tight is not None:
        assert loose is not None
        assert tight <= loose <= POINT.threshold


def test_without_a_tail_no_claim() -> None:
    assert identification_threshold(OperatingPoint(0.6, SPACE, "published"), 1, 0.01) is None


@pytest.mark.parametrize(("fpir", "people"), [(0.0, 1), (1.0, 1), (0.1, 0), (math.nan, 5)])
def test_fpir_out_of_range(fpir: float, people: int) -> None:
    with pytest.raises(SettingError):
        false_match_rate_for(fpir, people)


def test_probability_by_hand() -> None:
    logistic = ProbabilityCalibration("logistic", slope=-10.0, intercept=6.0)
    assert probability_same(logistic, 0.4) == pytest.approx(1 / (1 + math.exp(-2)))
    # Bayes: odds e² at even prior become e²/9 at a prior of one in ten.
    assert probability_same(logistic, 0.4, prior=0.1) == pytest.approx((math.e**2 / 9) / (1 + math.e**2 / 9))
    isotonic = ProbabilityCalibration("isotonic", knots=((0.2, 4.0), (0.6, -4.0)))
    assert probability_same(isotonic, 0.4) == pytest.approx(0.5)
    assert probability_same(isotonic, 0.1) == pytest.approx(1 / (1 + math.exp(-4)))


def test_unit_length_refuses_zero() -> None:
    with pytest.raises(EmbeddingError):
        unit_length(np.zeros((1, 3), dtype=np.float32))

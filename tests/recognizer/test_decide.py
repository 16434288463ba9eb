"""Names, or nobody: by hand-made candidates and operating points."""

from __future__ import annotations

import pytest

from sameface.errors import CalibrationError, NoThresholdError, SettingError
from sameface.models.card import ModelCard
from sameface.recognizer.identify import decide
from sameface.recognizer.thresholds import GIVEN, given_threshold, resolve
from sameface.types import Box, Candidate, EmbeddingSpace, OperatingPoint, TailPoint

SPACE = EmbeddingSpace("e", "d", "a")
BOX = Box(0, 0, 10, 10)
POINT = OperatingPoint(
    threshold=0.9,
    space=SPACE,
    target="FMR 0.001",
    tail=(TailPoint(0.5, 1e-5), TailPoint(0.7, 1e-4), TailPoint(0.9, 1e-3)),
    smallest_fmr=1e-5,
)
NEAR, FAR = Candidate("1", "Ada", 0.6), Candidate("2", "Bob", 1.1)
CARD = ModelCard("e", "encoder", "E", "MIT", "yes", dimension=4, input_size_wh=(8, 8))


def test_the_nearest_under_tau_of_k() -> None:
    answer = decide(BOX, [NEAR, FAR], 10, POINT, 0.01, keep=2)  # K = 10 at 1 %: FMR 1e-3, τ(K) 0.7 … 0.9
    assert (answer.name, answer.person_id) == ("Ada", "1")
    assert answer.margin == pytest.approx(0.5)
    assert answer.candidates == (NEAR, FAR)


def test_a_larger_gallery_is_stricter() -> None:
    answer = decide(BOX, [NEAR, FAR], 1000, POINT, 0.01, keep=1)  # FMR 1.005e-5: τ(K) = 0.5
    assert answer.name is None
    assert answer.threshold == 0.5
    assert answer.candidates == (NEAR,)


def test_unsupported_gallery_size_gives_candidates_and_no_name() -> None:
    answer = decide(BOX, [NEAR], 100_000, POINT, 0.01, keep=3)
    assert answer.name is None
    assert answer.threshold is None
    assert answer.candidates == (NEAR,)
    assert "no claim" in answer.why


def test_empty_gallery() -> None:
    answer = decide(BOX, [], 0, POINT, 0.01, keep=3)
    assert (answer.name, answer.distance, answer.margin, answer.candidates) == (None, None, None, ())


def test_a_bare_threshold_decides_as_it_is_and_equality_is_nobody() -> None:
    assert decide(BOX, [NEAR], 10**6, given_threshold(0.61, SPACE), 0.01, keep=1).name == "Ada"
    assert decide(BOX, [NEAR], 1, given_threshold(0.6, SPACE), 0.01, keep=1).name is None


def test_a_point_of_another_encoder_is_refused() -> None:
    with pytest.raises(CalibrationError, match="e on d"):
        resolve(POINT, CARD, EmbeddingSpace("other", "d", "a"))


def test_nothing_known_is_an_error_and_nothing_is_made_up() -> None:
    with pytest.raises(NoThresholdError, match="calibrate"):
        resolve(None, CARD, SPACE)


def test_zero_is_a_threshold() -> None:
    point = resolve(0.0, CARD, SPACE)
    assert (point.threshold, point.target) == (0.0, GIVEN)


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_what_is_no_threshold(bad: float) -> None:
    with pytest.raises(SettingError):
        given_threshold(bad, SPACE)

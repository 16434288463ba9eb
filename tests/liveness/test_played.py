"""Whole sessions through detector and encoder: simulated people pass, simulated pictures do not. The counts are in benchmarks/liveness.py."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from sameface.imaging import load_image
from sameface.liveness.challenge import Challenge, draw_challenge
from sameface.recognizer import Recognizer
from tests.liveness.played import Person, Replayed, Waved, play
from tests.liveness.simulated import Picture

SHORT = Challenge(("left", "down", "nearer"), (0.3, 0.3, 0.3))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


@pytest.fixture(scope="module")
def picture(recognizer, photos) -> Picture:
    path = photos / "obama3.jpg"
    return Picture.of(load_image(path), recognizer.detect(path)[0], density=1.0)


def test_a_person_passes_and_the_video_of_it_does_not_pass_again(recognizer, picture):
    frames: list[np.ndarray] = []
    session = play(Person(picture, np.random.default_rng(1)), recognizer, SHORT, keep=frames)
    assert session.state.phase == "passed", session.state.reason
    again = play(
        Replayed(frames, np.random.default_rng(2)), recognizer, Challenge(("up", "right", "farther"), (0.3,) * 3)
    )
    assert again.state.phase == "failed"


@pytest.mark.parametrize(
    ("bend", "challenge"), [(0.0, draw_challenge(random=Random(3))), (0.9, Challenge(("left", "down"), (0.3, 0.3)))]
)
def test_a_sheet_that_is_turned_as_asked_does_not_pass(recognizer, picture, bend, challenge):
    session = play(Waved(picture, np.random.default_rng(3), bend=bend), recognizer, challenge)
    assert session.state.phase == "failed"
    if bend:  # it follows what is asked, and shows no depth
        assert session.state.reason == "no-depth"

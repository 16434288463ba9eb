"""Answers of the service do not give embeddings away; with exact numbers, or without the budget, the same attacks succeed."""

from __future__ import annotations

import numpy as np
import pytest

from sameface.recognizer import Gallery, Recognizer
from sameface.service.attempts import Attempts
from sameface.service.disclosure import Disclosure
from sameface.types import Template
from tests.service.rebuilding import Service, by_chords, by_distances, by_votes, likeness

PEOPLE = 20


@pytest.fixture
def world(tmp_path):
    """Twenty people as points on a sphere, strangers far enough from all, and who is after whom."""
    recognizer = Recognizer(operating_point=0.9)
    draw = np.random.default_rng(7)

    def faces(count: int) -> np.ndarray:
        points = draw.normal(size=(count, recognizer.card.dimension))
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)

    held = Gallery(tmp_path / "people.db", recognizer=recognizer)
    templates = faces(PEOPLE)
    ids = [held.store.add(f"P{place}", [Template(one)]).person_id for place, one in enumerate(templates)]
    yield held, templates[0].astype(np.float64), ids[0], faces
    held.close()


def service(held: Gallery, *, exact: bool = False, near_misses: Attempts | None = None) -> Service:
    budget = near_misses or Attempts(60, a_day=240)
    return Service(held, Disclosure(exact=exact, who=("key", "people"), near_misses=budget, refuse_replays=False))


def middle(templates: np.ndarray) -> np.ndarray:
    return np.zeros(len(templates))


def test_exact_distances_would_give_it_away(world):
    held, truth, victim, faces = world
    near = (truth + 0.5 * faces(220)).astype(np.float32)  # the victim is among the nearest
    guess = by_distances(service(held, exact=True), near, victim)
    assert likeness(guess, truth, middle(truth)) > 0.99
    assert by_distances(service(held), near, victim) is None


def test_ten_thousand_answers_do_not(world):
    held, truth, victim, faces = world
    ask = service(held)
    guess = by_votes(ask, faces(10_000), victim)
    assert ask.answers == 10_000
    assert abs(likeness(guess, truth, middle(truth))) < 0.3


def test_nor_does_feeling_along_the_edge(world):
    """Whoever is named once by chance could feel along the edge of yes; near misses are counted, and soon nobody is named any more."""
    held, truth, victim, faces = world
    start = truth + 0.85 * faces(1)[0]
    before = likeness(start, truth, middle(truth))
    unlimited = by_chords(service(held, near_misses=Attempts(10**6)), start, victim, 6_000)
    assert likeness(unlimited, truth, middle(truth)) > 0.95
    limited = by_chords(service(held), start, victim, 6_000)
    assert likeness(limited, truth, middle(truth)) < before + 0.1


def test_nor_does_patience_for_a_day(world):
    """What fills again every hour is 1,440 a day: enough."""
    held, truth, victim, faces = world
    start = truth + 0.85 * faces(1)[0]
    before = likeness(start, truth, middle(truth))

    def after_a_day(a_day: int | None) -> float:
        ask = service(held, near_misses=Attempts(60, a_day=a_day, clock=lambda: ask.answers * 86_400 / 3_000))
        return likeness(by_chords(ask, start, victim, 3_000), truth, middle(truth))

    assert after_a_day(None) > before + 0.2
    assert after_a_day(240) < before + 0.1


def test_a_clear_match_is_named_after_too_many_near_misses(world):
    held, truth, victim, faces = world
    ask = service(held, near_misses=Attempts(3))
    away = faces(1)[0] - (faces(1)[0] @ truth) * truth
    way = away / np.linalg.norm(away)
    # τ(K) is 0.9 here, as a bare threshold is taken as it is.
    near, edge, clear = (truth + apart * way for apart in (0.95, 0.85, 0.5))
    named = [answer.person_id for answer in ask(np.array([clear, edge, near, near, near, clear, edge, clear]))]
    assert named == [victim, victim, None, None, None, victim, None, victim]
    assert [answer.person_id for answer in ask(np.array([edge, edge, clear]))] == [None, None, None]

"""Alphabets left out, and the mean over all episodes within one against listing them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sameface.errors import NotEnoughDataError  # noqa: E402
from sameface.training.pictures import Pictures  # noqa: E402
from sameface.training.recipes.omniglot import leave_out, within_alphabets  # noqa: E402


def characters(alphabets: dict[str, int], drawers: int = 3, seed: int = 0) -> Pictures:
    """Points in place of drawings: each character a place, each drawing near it."""
    random = np.random.default_rng(seed)
    names = [f"{alphabet}/character{number:02d}" for alphabet, count in alphabets.items() for number in range(count)]
    places = random.normal(size=(len(names), 2))
    points = np.repeat(places, drawers, axis=0) + random.normal(scale=0.6, size=(len(names) * drawers, 2))
    groups = np.array([list(alphabets).index(name.split("/")[0]) for name in names])
    labels = np.repeat(np.arange(len(names)), drawers)
    return Pictures(torch.from_numpy(points), labels, tuple(names), groups[labels])


def listed(points: np.ndarray, ways: int) -> float:
    """All sets of characters, pairs of drawers and asked characters, one after another."""
    characters, drawers = points.shape[:2]
    right = asked = 0
    for chosen in itertools.combinations(range(characters), ways):
        for one, other in itertools.permutations(range(drawers), 2):
            for own in chosen:
                distances = {at: float(np.linalg.norm(points[own, one] - points[at, other])) for at in chosen}
                asked += 1
                right += all(distances[own] < value for at, value in distances.items() if at != own)
    return 1 - right / asked


@pytest.mark.parametrize("ways", [2, 3, 5])
def test_the_closed_form_is_the_mean_over_all_episodes(ways: int) -> None:
    pictures = characters({"Greek": 5, "Latin": 6})
    found = within_alphabets(pictures, lambda pixels: pixels, ways=ways)
    points = pictures.pixels.numpy().reshape(11, 3, 2)
    assert found["Greek"] == pytest.approx(listed(points[:5], ways), abs=1e-12)
    assert found["Latin"] == pytest.approx(listed(points[5:], ways), abs=1e-12)
    assert 0.05 < found["Latin"] < 0.9


def test_fewer_characters_than_ways_are_all_asked_and_one_point_is_always_wrong() -> None:
    pictures = characters({"Greek": 4})
    assert within_alphabets(pictures, lambda pixels: pixels, ways=20) == within_alphabets(
        pictures, lambda pixels: pixels, ways=4
    )
    assert within_alphabets(pictures, lambda pixels: torch.zeros(len(pixels), 3)) == {"Greek": 1.0}


def test_alphabets_are_left_out_whole() -> None:
    pictures = characters({"Greek": 3, "Latin": 4, "Korean": 2})
    kept, out = leave_out(pictures, ["Latin"])
    assert {name.split("/")[0] for name in kept.people} == {"Greek", "Korean"}
    assert out.people == tuple(f"Latin/character{number:02d}" for number in range(4))
    assert (len(kept), len(out)) == (15, 12)
    for wrong in (["Klingon"], [], ["Greek", "Latin", "Korean"]):
        with pytest.raises(NotEnoughDataError):
            leave_out(pictures, wrong)

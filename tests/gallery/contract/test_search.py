"""Searching, the same on every backend as in a plain loop over everybody."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sameface.errors import EmbeddingError, PersonNotFoundError, SettingError
from sameface.gallery import NewPerson, TemplateStore
from sameface.matching import distance
from sameface.types import PersonId
from tests.gallery.conftest import OpenGallery, galleries
from tests.gallery.worlds import DIMENSION, slow_search, template, vectors

A, B, C, D = vectors(4)


@pytest.fixture(params=["sqlite", "postgres", "server alone"])
def open_gallery(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenGallery]:
    yield from galleries(request, tmp_path, monkeypatch)


def test_the_nearest_person_comes_first_with_the_distance_of_their_nearest_photo(store: TemplateStore) -> None:
    store.add("Ada", [template(A), template(B)])
    store.add("Grace", [template(C)])
    probe = B + np.float32(0.01)
    first, second = store.search(probe, 5)[0]
    assert (first.name, first.distance) == ("Ada", pytest.approx(distance(probe, B), abs=1e-6))
    assert (second.name, second.distance) == ("Grace", pytest.approx(distance(probe, C), abs=1e-6))


def test_of_equal_distances_the_earlier_enrolled_is_named(store: TemplateStore) -> None:
    for name in ("late z", "early a", "m"):
        store.add(name, [template(A), template(A)])
    assert [c.name for c in store.search(A, 3)[0]] == ["late z", "early a", "m"]
    store.forget("late z")
    store.add("late z", [template(A)])
    assert [c.name for c in store.search(A, 3)[0]] == ["early a", "m", "late z"]


def test_many_people_many_probes_equal_the_plain_loop(store: TemplateStore) -> None:
    world = {f"p{i}": list(vectors(1 + i % 3, seed=100 + i)) for i in range(300)}
    store.add_many(NewPerson(name, [template(v) for v in own]) for name, own in world.items())
    probes = np.concatenate([vectors(30, seed=1), np.stack([own[0] for own in list(world.values())[:10]])])
    for k in (1, 5, 300, 1000):
        some = probes if k == 1 else probes[:4]
        for probe, answer in zip(some, store.search(some, k), strict=True):
            expected = slow_search(probe, world, k)
            assert [c.name for c in answer] == [name for name, _ in expected]
            np.testing.assert_allclose([c.distance for c in answer], [d for _, d in expected], rtol=0, atol=1e-6)


def test_ten_thousand_photos_of_one_person_hide_nobody(store: TemplateStore) -> None:
    crowd = A + vectors(10_000, seed=9) * np.float32(0.001)
    store.add("everywhere", [template(v) for v in crowd])
    store.add("Grace", [template(C)])
    assert [c.name for c in store.search(A, 2)[0]] == ["everywhere", "Grace"]
    assert store.person("everywhere").photos == 10_000


def test_within_a_group(store: TemplateStore) -> None:
    world = {f"p{i}": [v] for i, v in enumerate(vectors(200, seed=2))}
    store.add_many(
        NewPerson(name, [template(own[0])], groups=["odd" if i % 2 else "even"])
        for i, (name, own) in enumerate(world.items())
    )
    odd = {name: own for i, (name, own) in enumerate(world.items()) if i % 2}
    for probe in vectors(5, seed=3):
        assert [c.name for c in store.search(probe, 4, group="odd")[0]] == [
            name for name, _ in slow_search(probe, odd, 4)
        ]
    assert store.search(A, 4, group="nobody") == [[]]


def test_no_probes_no_answers(store: TemplateStore) -> None:
    store.add("Ada", [template(A)])
    assert store.search(np.empty((0, DIMENSION), np.float32)) == []


def test_distances_to_one_person(store: TemplateStore) -> None:
    person = store.add("Ada", [template(A), template(B)])
    store.add("Grace", [template(C)])
    found = store.distances_to(person, C)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [distance(A, C), distance(B, C)], atol=1e-6)
    with pytest.raises(PersonNotFoundError):
        store.distances_to(PersonId("ff" * 16), C)


@pytest.mark.parametrize(
    "probe", [np.ones(DIMENSION + 1), np.full(DIMENSION, np.nan), np.ones((2, 2, DIMENSION)), np.float32(1)]
)
def test_probes_that_cannot_be_searched(store: TemplateStore, probe: object) -> None:
    store.add("Ada", [template(A)])
    with pytest.raises(EmbeddingError):
        store.search(probe)  # type: ignore[arg-type]


def test_nobody_asks_for_no_candidates(store: TemplateStore) -> None:
    with pytest.raises(SettingError):
        store.search(A, 0)


def test_threads_share_a_store(store: TemplateStore) -> None:
    world = {f"p{i}": v for i, v in enumerate(vectors(200, seed=7))}
    store.add_many(NewPerson(name, [template(v)]) for name, v in world.items())

    def work(number: int) -> bool:
        if number % 10 == 0:
            store.add(f"extra {number}", [template(vectors(1, seed=1000 + number)[0])])
        name = f"p{number % 200}"
        return store.search(world[name])[0][0].name == name

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


# Whole numbers: many exact ties, and every distance exact in float64.
SMALL = arrays(np.float32, DIMENSION, elements=st.integers(-2, 2).map(float)).filter(lambda vector: vector.any())
# Anything finite, far beyond what an encoder gives.
WILD = arrays(np.float32, DIMENSION, elements=st.floats(-(2.0**60), 2.0**60, width=32)).filter(
    lambda vector: vector.any()
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    world=st.lists(st.lists(SMALL | WILD, min_size=1, max_size=3), min_size=1, max_size=12),
    probe=SMALL | WILD,
    k=st.integers(1, 13),
)
def test_any_world_equals_the_plain_loop(
    store: TemplateStore, world: list[list[np.ndarray]], probe: np.ndarray, k: int
) -> None:
    for person in store.people():
        store.forget(person.name)
    people = {f"p{i}": own for i, own in enumerate(world)}
    store.add_many(NewPerson(name, [template(v) for v in own]) for name, own in people.items())
    expected = slow_search(probe, people, k)
    answer = store.search(probe, k)[0]
    assert [(c.name, c.distance) for c in answer] == [
        (name, pytest.approx(d, rel=1e-6, abs=1e-6)) for name, d in expected
    ]

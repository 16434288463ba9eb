"""An approximate index on request: what it finds is measured as it is asked, or it is refused."""

from __future__ import annotations

import logging
from functools import cache

import psycopg
import pytest

from sameface.errors import GalleryLockedError, NotEnoughDataError, RecallError, SettingError
from sameface.gallery import IndexBuild, NewPerson, Tuning, open_store
from sameface.gallery.postgres import hnsw, ranking
from sameface.gallery.postgres.store import PostgresStore
from tests.gallery.postgres_server import Server
from tests.gallery.worlds import DIMENSION, SPACE, slow_search, template, vectors

WORLD = {f"p{i}": list(vectors(1 + i % 2, seed=i)) for i in range(600)}
EVEN = {name: own for name, own in WORLD.items() if int(name[1:]) % 2 == 0}
FEW = {name: own for name, own in WORLD.items() if name.endswith("77")}
PROBES = vectors(30, seed=999)


@pytest.fixture
def location(server: Server) -> str:
    return server.new_schema()


def opened(location: str) -> PostgresStore:
    store = open_store(location, space=SPACE, dimension=DIMENSION)
    assert isinstance(store, PostgresStore)
    return store


def filled(location: str) -> PostgresStore:
    store = opened(location)
    store.add_many(
        NewPerson(
            name,
            [template(v) for v in own],
            groups=[group for group, of in (("even", EVEN), ("few", FEW)) if name in of],
        )
        for name, own in WORLD.items()
    )
    return store


@cache
def nearest(k: int, group: str | None) -> list[set[str]]:
    """Of each probe the k nearest people of a plain loop."""
    world = {None: WORLD, "even": EVEN, "few": FEW}[group]
    return [{name for name, _ in slow_search(probe, world, k)} for probe in PROBES]


def found_of(store: PostgresStore, k: int, group: str | None = None) -> float:
    """The share of the k nearest of a plain loop that a search finds."""
    answers = store.search(PROBES, k, group=group)
    hits = sum(
        len(expected & {c.name for c in answer}) for expected, answer in zip(nearest(k, group), answers, strict=True)
    )
    return hits / (k * len(PROBES))


@pytest.mark.parametrize("concurrently", [False, True])
def test_recall_is_measured_for_as_many_as_are_asked_and_inside_groups(
    location: str, monkeypatch: pytest.MonkeyPatch, concurrently: bool
) -> None:
    monkeypatch.setattr(ranking, "SMALL_GROUP", 100)
    with opened(location) as store:
        with pytest.raises(NotEnoughDataError):
            store.tune_search(0.99)
        assert store.stats().settings["search"].startswith("exact")
    with filled(location) as store:
        index = store.tune_search(0.99, IndexBuild(neighbours=5, m=8, ef_construction=32, concurrently=concurrently))
        assert (index.probes, index.neighbours, index.m, index.ef_construction) == (200, 5, 8, 32)
        assert index.recall >= 0.99
        assert found_of(store, 5) >= 0.98
        assert found_of(store, 5, "even") >= 0.98
        assert found_of(store, 3, "few") == 1.0  # a small group is searched exactly
        assert found_of(store, 40) == 1.0  # and so are more people than it was measured for
        assert "HNSW" in store.stats().settings["search"]
        with opened(location) as again:
            assert again._index == index
            store.tune_search(None)
            assert found_of(again, 5) == 1.0
            assert again._index is None  # it heard of it
        assert store.stats().settings["search"].startswith("exact")


@pytest.mark.parametrize("concurrently", [False, True])
def test_a_recall_that_is_not_reached_is_refused_with_what_would(
    location: str, monkeypatch: pytest.MonkeyPatch, concurrently: bool
) -> None:
    monkeypatch.setattr(hnsw, "_TRIED", (1, 2))
    with filled(location) as store:
        with pytest.raises(RecallError, match=r"m 4 and ef_construction 16.*or less.*exact") as caught:
            store.tune_search(1.0, IndexBuild(neighbours=5, m=2, ef_construction=4, concurrently=concurrently))
        assert caught.value.got.startswith("0.")
        assert found_of(store, 5) == 1.0
        assert store.stats().settings["search"].startswith("exact")
        with psycopg.connect(location) as server:
            assert server.execute("SELECT to_regclass('sameface_template_hnsw')").fetchone() == (None,)


@pytest.mark.parametrize("concurrently", [False, True])
def test_two_who_build_at_once(location: str, concurrently: bool) -> None:
    with filled(location) as store, psycopg.connect(location) as other:
        hnsw.take_turn(other, beside=True)
        with pytest.raises(GalleryLockedError, match="builds one now"):
            store.tune_search(0.9, IndexBuild(concurrently=concurrently))
        assert found_of(store, 5) == 1.0


@pytest.mark.parametrize("wrong", [{"m": 1}, {"m": 64, "ef_construction": 100}, {"neighbours": 0}, {"memory_mb": 0}])
def test_settings_that_pgvector_would_refuse(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingError, match=list(wrong)[-1]):
        IndexBuild(**wrong)  # type: ignore[arg-type]


def test_a_poor_index_of_an_earlier_version_is_said_to_be_poor(caplog: pytest.LogCaptureFixture) -> None:
    old = hnsw.chosen({"ef_search": "40", "recall": "0.981", "recall_probes": "200"})
    assert old == Tuning("hnsw", 0.981, 200, 40, 1, 16, 64)
    with caplog.at_level(logging.WARNING):
        hnsw.warn(Tuning("hnsw", 0.99, 200, 40))
        assert not caplog.records
        hnsw.warn(old)
    assert "98.1" in caplog.text

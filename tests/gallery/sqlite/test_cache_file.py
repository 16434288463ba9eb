"""The cache beside a gallery: quick to open, never believed without a check, gone when it may not be there."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sameface import file_locks
from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.gallery.following import cache_file, live_index
from sameface.gallery.following.moment import BEGINNING
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, slow_search, template, vectors

FACES = vectors(400, seed=11)
WORLD = {f"p{i}": [v] for i, v in enumerate(FACES)}
PROBES = vectors(6, seed=12)


@pytest.fixture(autouse=True)
def _small_galleries_have_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_index, "CACHE_FROM", 50)


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with opened(path) as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in WORLD.items())
        store.warm()
    with opened(path) as store:
        store.warm()
    assert (tmp_path / "people.db-cache").exists()
    return path


def opened(path: Path) -> TemplateStore:
    return open_store(path, space=SPACE, dimension=DIMENSION)


def equals_the_loop(store: TemplateStore, world: dict[str, list[np.ndarray]]) -> bool:
    return all(
        [c.name for c in answer] == [name for name, _ in slow_search(probe, world, 4)]
        for probe, answer in zip(PROBES, store.search(PROBES, 4), strict=True)
    )


def from_cache(store: TemplateStore) -> bool:
    """Whether a gallery is read from the cache that is there, and not from one that is made for it."""
    cache = Path(store.location + "-cache")
    before = cache.stat() if cache.exists() else None
    store.warm()
    after = cache.stat()
    index = store._live.index  # type: ignore[attr-defined]
    mapped = bool(index.segments) and not index.segments[0].writable
    return mapped and before is not None and (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)


def test_a_cache_gives_the_answers_of_the_record(gallery: Path) -> None:
    with opened(gallery) as store:
        assert from_cache(store)
        assert equals_the_loop(store, WORLD)
    assert (gallery.with_name("people.db-cache").stat().st_mode & 0o777) == 0o600


def test_changes_after_the_cache_was_made_are_seen(gallery: Path) -> None:
    world = dict(WORLD)
    with opened(gallery) as store:
        for name in ("p3", "p99"):
            store.forget(name)
            del world[name]
        store.add("new", [template(PROBES[0])])
        world["new"] = [PROBES[0]]
        store.merge("p5", "p6")
        world["p5"] = [*world["p5"], *world.pop("p6")]
        assert equals_the_loop(store, world)
    with opened(gallery) as store:
        assert from_cache(store)
        assert equals_the_loop(store, world)


def test_the_forgotten_are_overwritten_in_the_cache(gallery: Path) -> None:
    cache = gallery.with_name("people.db-cache")
    gone = FACES[123].tobytes()
    assert gone in cache.read_bytes()
    with opened(gallery) as store:
        assert store.forget("p123").elsewhere["search cache"] == 1
    assert all(gone not in file.read_bytes() for file in gallery.parent.iterdir())
    with opened(gallery) as store:
        assert from_cache(store)


def test_whoever_opens_next_overwrites_for_one_that_was_killed(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = gallery.with_name("people.db-cache")
    with opened(gallery) as store:
        monkeypatch.setattr(store._live, "erase", lambda key, moment: {})  # type: ignore[attr-defined]  # killed right after the commit
        store.forget("p123")
    assert FACES[123].tobytes() in cache.read_bytes()
    with opened(gallery) as store:
        store.warm()
    assert FACES[123].tobytes() not in cache.read_bytes()


def test_any_damage_makes_it_be_made_again(gallery: Path) -> None:
    cache, rng = gallery.with_name("people.db-cache"), random.Random(3)
    whole = cache.read_bytes()
    used = [place for place in range(len(whole)) if whole[place]]
    for place in rng.sample(used, 30):
        raw = bytearray(whole)
        raw[place] ^= 1 << rng.randrange(8)
        cache.write_bytes(raw)
        with opened(gallery) as store:
            assert equals_the_loop(store, WORLD)
        assert cache.read_bytes() == whole  # made again
    for damaged in (b"", whole[:-1], whole[:4096], whole[:8192] + bytes(4096) + whole[12288:], b"x" * len(whole)):
        cache.write_bytes(damaged)
        with opened(gallery) as store:
            assert equals_the_loop(store, WORLD)


def test_a_restored_backup_is_not_taken_for_its_own_future(gallery: Path, tmp_path: Path) -> None:
    backup = tmp_path / "kept"
    shutil.copy(gallery, backup)
    with opened(gallery) as store:
        store.add_many(NewPerson(f"q{i}", [template(v)]) for i, v in enumerate(vectors(100, seed=20)))
        store.reindex()
    shutil.copy(backup, gallery)
    other = {f"r{i}": [v] for i, v in enumerate(vectors(150, seed=21))}
    with opened(gallery) as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in other.items())
    with opened(gallery) as store:
        assert equals_the_loop(store, WORLD | other)
    # The same with people who were forgotten before, others after.
    with opened(gallery) as store:
        store.forget("r0")
        store.reindex()
    shutil.copy(backup, gallery)
    with opened(gallery) as store:
        store.forget("p0")
    with opened(gallery) as store:
        assert equals_the_loop(store, {name: own for name, own in WORLD.items() if name != "p0"})


def test_a_restored_backup_in_which_as_much_happened_is_not_taken_for_the_other(gallery: Path, tmp_path: Path) -> None:
    backup = tmp_path / "kept"
    shutil.copy(gallery, backup)

    def change(one: str, two: str) -> None:
        """As many changes, and the last about the same person."""
        with opened(gallery) as store:
            store.merge(one, two)
            store.forget("p0")

    change("p10", "p20")
    with opened(gallery) as store:
        store.reindex()
    with opened(gallery) as store:
        assert from_cache(store)
    shutil.copy(backup, gallery)
    change("p30", "p40")
    with opened(gallery) as store:
        assert not from_cache(store)
        for place, name in ((10, "p10"), (20, "p20"), (30, "p30"), (40, "p30")):
            found = store.search(FACES[place])[0][0]
            assert (found.name, found.distance) == (name, 0.0)
        assert store.check().ok


def test_an_open_gallery_sees_that_a_backup_was_put_in_its_place(gallery: Path, tmp_path: Path) -> None:
    backup = tmp_path / "kept"
    shutil.copy(gallery, backup)
    with opened(gallery) as store:
        store.merge("p10", "p20")
        assert store.search(FACES[20])[0][0].name == "p10"
        with sqlite3.connect(backup) as source, sqlite3.connect(gallery) as target:
            source.backup(target)
        source.close()
        target.close()
        assert store.search(FACES[20])[0][0].name == "p20"


def test_another_gallery_and_another_encoder_do_not_use_it(gallery: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.db"
    with opened(second) as store:
        store.add("Ada", [template(FACES[0])])
    shutil.copy(gallery.with_name("people.db-cache"), tmp_path / "second.db-cache")
    with opened(second) as store:
        assert [c.name for c in store.search(FACES[0], 5)[0]] == ["Ada"]
    with opened(gallery) as store:
        ids = [item.template_id for _, items in store.export() for item in items]
        store.reembed(OTHER, 5, zip(ids, vectors(len(ids), 5), strict=True))
        assert store.search(vectors(400, 5)[7])[0][0].name == "p7"
    assert all(FACES[7].tobytes() not in file.read_bytes() for file in tmp_path.iterdir() if "second" not in file.name)


def test_a_reader_with_the_file_mapped_never_answers_with_the_forgotten(gallery: Path) -> None:
    with opened(gallery) as reader, opened(gallery) as writer:
        assert from_cache(reader)
        probe = FACES[50]
        assert reader.search(probe)[0][0].name == "p50"
        index = reader._live.index  # type: ignore[attr-defined]
        writer.forget("p50")
        row = 50  # enrolled in order
        assert not index.segments[0].matrix[row].any()
        assert (
            reader.search(probe)[0][0].name == slow_search(probe, {n: o for n, o in WORLD.items() if n != "p50"})[0][0]
        )


def test_two_processes_do_not_write_one_cache_at_once(gallery: Path) -> None:
    cache = gallery.with_name("people.db-cache")
    cache.unlink()
    part = gallery.with_name("people.db-cache.part")
    with part.open("wb") as busy:
        file_locks.lock(busy)
        with opened(gallery) as store:
            assert equals_the_loop(store, WORLD)
        assert not cache.exists()
        assert part.exists()
    with opened(gallery) as store:  # the other was killed: what it left goes
        store.warm()
    assert cache.exists()
    assert not part.exists()


def test_scrubbing_a_cache_whose_head_is_damaged_takes_it_away(gallery: Path) -> None:
    cache = gallery.with_name("people.db-cache")
    cache.write_bytes(b"x" + cache.read_bytes()[1:])
    assert cache_file.scrub(cache, [1], BEGINNING) == 0
    assert not cache.exists()
    assert cache_file.scrub(cache, [1], BEGINNING) == 0

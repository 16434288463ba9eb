"""A cache that holds the rows in 8 bits too: little is read to open it, and nothing is believed that was not checked."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sameface import file_locks
from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.gallery.exact import segment
from sameface.gallery.exact.codes import BLOCK, encoded
from sameface.gallery.exact.segment import crc_of
from sameface.gallery.following import cache_draft, cache_file, live_index
from sameface.gallery.following.cache_layout import Layout, Stamp
from sameface.gallery.following.moment import Moment
from sameface.gallery.following.record import Rows, Seen
from tests.gallery.worlds import DIMENSION, SPACE, slow_search, template, vectors

FACES = vectors(5 * BLOCK + 7, seed=5)
WORLD = {f"p{i}": [v] for i, v in enumerate(FACES)}
STAMP = Stamp("ab" * 16, 3, DIMENSION, Seen(7, 8), Moment(9, bytes(range(24))))


@pytest.fixture(autouse=True)
def _small_galleries_have_coded_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_index, "CODED_FROM", 2 * BLOCK)
    monkeypatch.setattr(live_index, "CACHE_FROM", 3 * BLOCK)


def opened(path: Path, **rest: object) -> TemplateStore:
    return open_store(path, space=SPACE, dimension=DIMENSION, **rest)  # type: ignore[arg-type]


def rows_of(faces: np.ndarray) -> Rows:
    ids = np.arange(1, len(faces) + 1)
    crcs = [crc_of(int(key), face.tobytes()) for key, face in zip(ids, faces, strict=True)]
    return Rows(faces, ids, ids, np.array(crcs, np.uint32))


def part(rows: Rows, start: int, stop: int) -> Rows:
    return Rows(*(column[start:stop] for column in rows))


def layout_of(rows: Rows) -> Layout:
    return Layout(len(rows.ids), DIMENSION, coded=True)


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with opened(path) as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in WORLD.items())
        store.warm()
    return path


def equals_the_loop(store: TemplateStore, world: dict[str, list[np.ndarray]]) -> bool:
    probes = vectors(6, seed=12)
    return all(
        [(c.name, c.distance) for c in answer] == slow_search(probe, world, 4)
        for probe, answer in zip(probes, store.search(probes, 4), strict=True)
    )


def test_rows_in_any_portions_give_one_file(tmp_path: Path) -> None:
    rows, files = rows_of(FACES), []
    for number, cuts in enumerate(([0, len(FACES)], [0, 1, 63, 64, 65, 200, len(FACES)])):
        path = tmp_path / str(number)
        with cache_draft.Draft(path, layout_of(rows)) as draft:
            for start, stop in pairwise(cuts):
                draft.append(part(rows, start, stop))
            assert draft.finish(STAMP)
        files.append(path.read_bytes())
        loaded = cache_file.load(path, STAMP.gallery_id, STAMP.epoch, DIMENSION, coded=True)
        assert loaded is not None
        found, stamp = loaded
        assert stamp == STAMP
        assert found.matrix.tobytes() == FACES.tobytes()
        wanted = encoded(FACES)
        assert found.codes is not None
        assert (found.codes.rows == wanted.rows).all()
        assert (found.codes.scales == wanted.scales).all()
        assert (found.codes.errors == wanted.errors).all()
    assert files[0] == files[1]


def test_too_few_rows_leave_no_file(tmp_path: Path) -> None:
    rows = rows_of(FACES)
    with cache_draft.Draft(tmp_path / "cache", layout_of(rows)) as draft:
        draft.append(part(rows, 0, 100))
        assert not draft.finish(STAMP)
    with cache_draft.Draft(tmp_path / "cache", layout_of(rows)) as draft:
        draft.append(rows)
    assert not list(tmp_path.iterdir())


def test_answers_are_the_loops_whatever_is_kept_in_memory(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "_HELD_BLOCKS", 1)  # full rows are given back after every look
    for scan in ("int8", "float32"):
        with opened(gallery, scan=scan) as store:
            assert equals_the_loop(store, WORLD)
            index = store._live.index  # type: ignore[attr-defined]
            (mapped, *_) = index.segments
            assert mapped.mapped is not None
            assert (mapped.codes is None) == (scan == "float32")
            assert equals_the_loop(store, WORLD)


def test_a_full_row_that_was_damaged_is_found_when_it_is_looked_at(gallery: Path) -> None:
    cache = gallery.with_name("people.db-cache")
    whole = cache.read_bytes()
    at = whole.rindex(FACES[130].tobytes())  # the matrix lies last
    cache.write_bytes(whole[:at] + np.full(DIMENSION, 9, "<f4").tobytes() + whole[at + 4 * DIMENSION :])
    with opened(gallery) as store:
        assert store.search(FACES[130] + np.float32(0.01))[0][0].name == "p130"
        assert equals_the_loop(store, WORLD)
    assert cache.read_bytes() == whole  # made again


@pytest.mark.parametrize("name", ["ids", "keys", "crcs", "sq_norms", "codes", "scales", "errors"])
def test_damage_of_what_every_search_reads_is_found_at_opening(gallery: Path, name: str) -> None:
    cache = gallery.with_name("people.db-cache")
    whole = bytearray(cache.read_bytes())
    layout = Layout(len(FACES), DIMENSION, coded=True)
    offset, length, _ = layout.parts[name]
    whole[layout.body_at + offset + length // 2] ^= 4
    cache.write_bytes(whole)
    with opened(gallery) as store:
        bound = store._binding  # type: ignore[attr-defined]
        assert cache_file.load(cache, bound.gallery_id, bound.epoch, DIMENSION, coded=True) is None
        assert equals_the_loop(store, WORLD)


def test_the_forgotten_leave_the_codes_in_the_file(gallery: Path) -> None:
    cache = gallery.with_name("people.db-cache")
    codes = encoded(FACES).rows
    world = dict(WORLD)
    with opened(gallery) as store, opened(gallery) as reader:
        assert equals_the_loop(reader, world)
        for face in (3, 64, 200):
            assert codes[face].tobytes() in cache.read_bytes()
            store.forget(f"p{face}")
            del world[f"p{face}"]
            assert codes[face].tobytes() not in cache.read_bytes()
            assert FACES[face].tobytes() not in cache.read_bytes()
            assert equals_the_loop(reader, world)
    with opened(gallery) as store:
        assert equals_the_loop(store, world)


def test_who_opens_while_another_writes_the_cache_waits_for_it(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each of several processes that start at once would keep everybody in its own memory."""
    monkeypatch.setattr(cache_draft, "WORTH_WAITING", 1)
    gallery.with_name("people.db-cache").unlink()
    finish, begun, may_end, drafts = cache_draft.Draft.finish, threading.Event(), threading.Event(), list[object]()

    def slow(draft: cache_draft.Draft, stamp: Stamp) -> bool:
        drafts.append(draft)
        begun.set()
        may_end.wait(20)
        return finish(draft, stamp)

    monkeypatch.setattr(cache_draft.Draft, "finish", slow)
    with opened(gallery) as first, opened(gallery) as second, ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.warm)
        assert begun.wait(20)
        two = pool.submit(second.warm)
        with pytest.raises(TimeoutError):
            two.result(0.3)
        may_end.set()
        one.result(20)
        two.result(20)
        for store in (first, second):
            assert store._live.index.segments[0].mapped is not None  # type: ignore[attr-defined]
    assert len(drafts) == 1


def test_nobody_waits_for_one_that_is_stuck(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_draft, "WORTH_WAITING", 1)
    gallery.with_name("people.db-cache").unlink()
    part = gallery.with_name("people.db-cache.part")
    with part.open("wb") as busy:
        file_locks.lock(busy)
        busy.write(b"something")
        busy.flush()
        os.utime(part, (1, 1))
        with opened(gallery) as store:
            assert equals_the_loop(store, WORLD)

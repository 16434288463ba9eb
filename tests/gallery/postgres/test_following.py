"""The index that follows a gallery on a server: as fresh as the server, cached on this machine, and nobody forgotten is left in it."""

from __future__ import annotations

import errno
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psycopg
import pytest

from sameface.errors import GalleryMismatchError, GalleryMissingError, SettingError
from sameface.gallery import NewPerson, erase_gallery, open_store
from sameface.gallery.following import cache_draft, live_index
from sameface.gallery.postgres import followed
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.postgres.store import PostgresStore
from tests.forked import Forked, python
from tests.gallery.postgres_server import Server
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, slow_search, template, vectors

ROOT = Path(__file__).parents[3]
FACES = vectors(300, seed=11)
WORLD = {f"p{i}": [v] for i, v in enumerate(FACES)}
PROBES = vectors(6, seed=12)


@pytest.fixture
def location(server: Server) -> str:
    return server.new_schema()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where caches lie, of small galleries too."""
    monkeypatch.setattr(live_index, "CACHE_FROM", 50)
    monkeypatch.setenv("SAMEFACE_SEARCH_CACHE", str(tmp_path))
    return tmp_path


def opened(location: str, **rest: object) -> PostgresStore:
    store = open_store(location, space=SPACE, dimension=DIMENSION, **rest)  # type: ignore[arg-type]
    assert isinstance(store, PostgresStore)
    return store


def filled(location: str) -> PostgresStore:
    store = opened(location)
    store.add_many(NewPerson(name, [template(own[0])]) for name, own in WORLD.items())
    return store


def equals_the_loop(store: PostgresStore, world: dict[str, list[np.ndarray]]) -> bool:
    return all(
        [c.name for c in answer] == [name for name, _ in slow_search(probe, world, 4)]
        for probe, answer in zip(PROBES, store.search(PROBES, 4), strict=True)
    )


def index_of(store: PostgresStore) -> object:
    assert store._following is not None
    return store._following._live.index


def mapped(store: PostgresStore) -> bool:
    index = index_of(store)
    return bool(index.segments) and not index.segments[0].writable  # type: ignore[attr-defined]


def test_what_others_change_is_seen_at_the_next_search(location: str) -> None:
    world = dict(WORLD)
    with filled(location) as writer, opened(location) as reader:
        assert equals_the_loop(reader, world)
        index = index_of(reader)
        assert equals_the_loop(reader, world)
        assert index_of(reader) is index  # nothing was read again
        writer.forget("p3")
        del world["p3"]
        writer.add("new", [template(PROBES[0])], groups=["few"])
        world["new"] = [PROBES[0]]
        writer.add("p7", [template(PROBES[1])])
        world["p7"] = [*world["p7"], PROBES[1]]
        writer.merge("p5", "p6")
        world["p5"] = [*world["p5"], *world.pop("p6")]
        assert equals_the_loop(reader, world)
        assert index_of(reader) is index  # only what changed was
        assert index.rows == 300 + 2 + 2  # type: ignore[attr-defined]  # the two of a merge lie there twice
        assert [c.name for c in reader.search(PROBES[0], 3, group="few")[0]] == ["new"]
        writer.update("p9", groups=["few"])
        assert {c.name for c in reader.search(PROBES[0], 3, group="few")[0]} == {"new", "p9"}
        writer.update("p9", name="nine", groups=[])
        assert [c.name for c in reader.search(PROBES[0], 3, group="few")[0]] == ["new"]
        (_, photo) = reader.templates_of("p7")
        writer.drop_template(photo.template_id)
        world["p7"] = world["p7"][:1]
        world["nine"] = world.pop("p9")
        assert sorted(world) == sorted(p.name for p in reader.people())
        assert [c.name for c in reader.search(FACES[9])[0]] == ["nine"]
        assert reader.search(PROBES[1])[0][0].name == slow_search(PROBES[1], world)[0][0]


def test_a_transaction_that_began_first_and_ends_last_is_not_missed(location: str) -> None:
    """It has smaller numbers than what was seen meanwhile."""
    with filled(location) as first, opened(location) as second, opened(location) as reader:
        reader.warm()
        numbered, may_end = threading.Event(), threading.Event()

        def slow(connection: Connection) -> None:
            transaction = first._transaction(connection, changing=True)
            from sameface.gallery.base.people import clean_people

            people, rows = clean_people([NewPerson("slow", [template(PROBES[0])])], DIMENSION)
            transaction.insert(people, rows)
            transaction.note("add", people[0].person_id, 1)
            numbered.set()
            may_end.wait(20)

        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(first._change, slow)
            assert numbered.wait(20)
            second.add("quick", [template(PROBES[1])])
            assert reader.search(PROBES[1])[0][0].name == "quick"
            assert reader.search(PROBES[0])[0][0].name != "slow"
            may_end.set()
            work.result(20)
        assert reader.search(PROBES[0])[0][0].name == "slow"
        second.forget("quick")
        assert reader.search(PROBES[1])[0][0].name != "quick"


SEARCHER = """
import sys
from sameface.gallery import open_store
from tests.gallery.worlds import vectors
faces = vectors(300, seed=11)
store = open_store(sys.argv[1], create=False)
store.warm()
print("ready", flush=True)
for line in sys.stdin:
    answer = store.search(faces[int(line)], 3)[0]
    print(" ".join(c.name for c in answer), flush=True)
"""


def test_forgotten_by_one_process_never_named_by_another(location: str, cache: Path) -> None:
    """Three searching processes, on one cache file; everything that is forgotten or enrolled is asked for at once."""
    with filled(location) as store:
        searchers = [python(SEARCHER, location) for _ in range(3)]
        try:

            def ask(searcher: Forked, face: int) -> list[str]:
                assert searcher.stdin is not None
                assert searcher.stdout is not None
                searcher.stdin.write(f"{face}\n")
                searcher.stdin.flush()
                return searcher.stdout.readline().split()

            for searcher in searchers:
                assert searcher.stdout is not None
                assert searcher.stdout.readline() == "ready\n"
            rng, known = random.Random(0), dict(WORLD)
            for face in rng.sample(range(300), 40):
                store.forget(f"p{face}")
                del known[f"p{face}"]
                expected = [name for name, _ in slow_search(FACES[face], known, 3)]
                assert [ask(searcher, face) for searcher in searchers] == [expected] * 3
                if face % 2:
                    store.add(f"again{face}", [template(FACES[face])])
                    known[f"again{face}"] = [FACES[face]]
                    assert [ask(searcher, face)[0] for searcher in searchers] == [f"again{face}"] * 3
        finally:
            for searcher in searchers:
                searcher.kill()
                searcher.communicate()


# -- the cache on this machine ----------------------------------------------------------------------------------------
def test_a_cache_is_mapped_and_the_forgotten_are_overwritten_in_it(location: str, cache: Path) -> None:
    with filled(location) as store:
        store.warm()
        assert mapped(store)  # written as the record was read, and no row kept in memory
        (file,) = cache.iterdir()
        assert file.name == f"{store.gallery_id}-cache"
        assert file.stat().st_mode & 0o777 == 0o600
        assert FACES[123].tobytes() in file.read_bytes()
        assert store.forget("p123").elsewhere == {"search matrix": 1, "search cache": 1}
        assert FACES[123].tobytes() not in file.read_bytes()
        assert store.stats().bytes["search cache"] == file.stat().st_size
    made = file.stat().st_mtime_ns
    with opened(location) as store:
        assert equals_the_loop(store, {name: own for name, own in WORLD.items() if name != "p123"})
        assert mapped(store)
    assert file.stat().st_mtime_ns == made
    with opened(location) as writer:  # a process on a machine that has no cache
        assert writer._following is not None
        writer._following._live.erase = lambda key, moment: {}  # type: ignore[method-assign]
        writer.forget("p77")
    assert FACES[77].tobytes() in file.read_bytes()
    with opened(location) as store:  # whoever opens it next overwrites them here
        store.warm()
    assert FACES[77].tobytes() not in file.read_bytes()


def test_damage_is_found_and_the_cache_made_again(location: str, cache: Path) -> None:
    filled(location).close()
    with opened(location) as store:
        store.warm()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    at = whole.index(FACES[5].tobytes())
    file.write_bytes(whole[:at] + bytes(4) + whole[at + 4 :])
    with opened(location) as store:
        assert equals_the_loop(store, WORLD)
        assert store.search(FACES[5])[0][0].name == "p5"
    assert FACES[5].tobytes() in file.read_bytes()


@pytest.mark.parametrize("how", ["off", "memory", "a key", "a folder that cannot be made"])
def test_where_nothing_may_lie_on_this_disk(
    location: str, cache: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "a key":
        monkeypatch.setenv("SAMEFACE_GALLERY_KEY", "ab" * 32)
    elif how.startswith("a folder"):
        (cache.parent / "file").touch()
        monkeypatch.setenv("SAMEFACE_SEARCH_CACHE", str(cache.parent / "file" / "folder"))
    else:
        monkeypatch.setenv("SAMEFACE_SEARCH_CACHE", how)
    with filled(location) as store:
        assert equals_the_loop(store, WORLD)
        assert (store._following is None) == (how == "off")
        assert store.stats().settings["search"] == (
            "exact, by the server" if how == "off" else "exact, by an index in this process"
        )
        assert "search cache" not in store.forget("p1").elsewhere
    assert not list(cache.iterdir())


def test_a_full_disk_under_the_cache(location: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(followed, "_CHUNK", 50)
    monkeypatch.setattr(cache_draft.Draft, "append", full)
    with filled(location) as store:
        assert equals_the_loop(store, WORLD)
        assert not mapped(store)
    assert not list(cache.iterdir())


def test_a_cache_setting_that_is_no_place(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_SEARCH_CACHE", "sometimes")
    with pytest.raises(SettingError, match="SAMEFACE_SEARCH_CACHE"):
        opened(location)


def test_another_record_in_its_place_is_noticed(location: str, cache: Path) -> None:
    """A dump that was put back: the same gallery, the same numbers, other people."""
    with filled(location) as store:
        store.warm()
        with psycopg.connect(location, autocommit=True) as server:
            kept = server.execute("SELECT * FROM sameface_change").fetchall()
            store.add("late", [template(PROBES[0])])
            assert store.search(PROBES[0])[0][0].name == "late"
            server.execute(
                "DELETE FROM sameface_template USING sameface_name n WHERE n.person_id = sameface_template.person_id AND n.name = 'late'"
            )
            for table in ("person", "name"):
                server.execute(f"DELETE FROM sameface_{table} WHERE name = 'late'".encode())
            server.execute("DELETE FROM sameface_change")
            server.cursor().executemany("INSERT INTO sameface_change VALUES (%s, %s, %s, %s, %s, %s, %s)", kept)
        assert equals_the_loop(store, WORLD)
    with opened(location) as store:
        assert equals_the_loop(store, WORLD)


def test_re_encoded_or_erased_meanwhile(location: str, cache: Path) -> None:
    with filled(location) as store, opened(location) as other:
        other.warm()
        ids = [item.template_id for _, items in store.export() for item in items]
        store.reembed(OTHER, 5, zip(ids, vectors(len(ids), 5), strict=True))
        assert store.search(vectors(300, 5)[7])[0][0].name == "p7"
        with pytest.raises(GalleryMismatchError):
            other.search(FACES[0])
        assert all(FACES[7].tobytes() not in file.read_bytes() for file in cache.iterdir())
    with open_store(location) as store:
        store.warm()
        erase_gallery(location)
        with pytest.raises(GalleryMissingError):
            store.search(vectors(1, 5))
    assert not list(cache.iterdir())


def test_a_gallery_of_the_first_schema_is_lifted(location: str) -> None:
    """As version 0.1 before November 2026 made it."""
    golden = (Path(__file__).parents[1] / "golden" / "postgres-schema-1.sql").read_text(encoding="utf-8")
    with psycopg.connect(location, autocommit=True) as server:
        server.execute(golden.encode())
    with opened(location) as store:
        assert store.stats().settings["schema"] == "3"
        assert [(c.name, c.distance) for c in store.search([1, 0, 0, 0, 0, 0, 0, 0], 2)[0]] == [
            ("Ada", 0.0),
            ("Grace", pytest.approx(2**0.5)),
        ]
        store.forget("Ada")
        assert store.search([1, 0, 0, 0, 0, 0, 0, 0])[0][0].name == "Grace"
        assert store.check().ok

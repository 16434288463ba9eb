"""Several processes on one gallery: kills lose nothing, forgotten people stay forgotten, writers take fair turns."""

from __future__ import annotations

import os
import random
import signal
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from sameface.gallery import NewPerson, open_store
from tests.forked import Forked, python
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, slow_search, template, vectors

#: Random kills in a run, and how long readers and writers work beside each other; ``SAMEFACE_KILLS=20`` is the long run.
KILLS = int(os.environ.get("SAMEFACE_KILLS", "8"))
SECONDS = KILLS / 10
#: Adds, forgets and merges at random, and says each thing before it does it and after it is acknowledged.
WORKER = """
import random, sys, zlib
from sameface.gallery import open_store
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors
path, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
store = open_store(path, space=SPACE, dimension=DIMENSION)
known = [p.name for p in store.people()]
for number in range(100000):
    if rng.random() < 0.6 or len(known) < 5:
        name = f"<{seed}-{number}>"
        print("try add", name, flush=True)
        store.add(name, [template(v) for v in vectors(2, seed=zlib.crc32(name.encode()))])
        known.append(name)
        print("did add", name, flush=True)
    elif rng.random() < 0.9:
        name = known.pop(rng.randrange(len(known)))
        print("try forget", name, flush=True)
        store.forget(name)
        print("did forget", name, flush=True)
    else:
        store.search(vectors(1, seed=number), 3)
        store.reindex()
"""


def faces_of(name: str) -> list[object]:
    """The faces that the worker gives a name: no two names share one, or who is forgotten would be found in somebody else's record."""
    return list(vectors(2, seed=zlib.crc32(name.encode())))


def found_in(folder: Path, names: Iterable[str]) -> list[str]:
    """Whose name or face stands in a file of a folder, byte for byte."""
    raw = b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
    return [
        name
        for name in names
        if name.encode() in raw or any(face.tobytes() in raw for face in faces_of(name))  # type: ignore[attr-defined]
    ]


def test_kills_lose_nothing_and_bring_nobody_back(tmp_path: Path) -> None:
    path, rng = tmp_path / "people.db", random.Random(0)
    open_store(path, space=SPACE, dimension=DIMENSION).close()
    enrolled: set[str] = set()
    forgotten: set[str] = set()
    for kill in range(KILLS):
        worker = python(WORKER, path, kill)
        assert worker.stdout is not None
        lines = [worker.stdout.readline() for _ in range(rng.randint(1, 25))]
        time.sleep(rng.uniform(0.0, 0.004))  # into the middle of what comes next
        os.kill(worker.pid, signal.SIGKILL)
        rest, _ = worker.communicate()
        lines += [line + "\n" for line in rest.split("\n")[:-1]]  # a last line that was cut is no statement
        unsure: set[str] = set()
        for line in lines:
            said, act, name = line.split()
            if said == "try":
                unsure = {name}
                continue
            unsure = set()
            (enrolled.add if act == "add" else enrolled.discard)(name)
            if act == "forget":
                forgotten.add(name)
        assert found_in(tmp_path, forgotten) == []  # as the killed program left it
        with open_store(path, space=SPACE, dimension=DIMENSION) as store:
            report, people = store.check(), store.people()
            found = {person.name for person in people}
            assert report.ok, report.problems
            assert found - unsure == enrolled - unsure
            assert all(person.photos == 2 for person in people)
            enrolled = found
            world = {person.name: faces_of(person.name) for person in people}
            for probe in vectors(3, seed=kill):
                assert [c.name for c in store.search(probe, 3)[0]] == [name for name, _ in slow_search(probe, world, 3)]  # type: ignore[arg-type]
        assert found_in(tmp_path, forgotten) == []
    assert len(enrolled) > 5
    assert len(forgotten) > KILLS
    assert found_in(tmp_path, forgotten) == []
    assert set(found_in(tmp_path, enrolled)) == enrolled  # the search sees what is there


REEMBED = """
import sys
from sameface.gallery import open_store
from tests.gallery.worlds import OTHER, vectors
store = open_store(sys.argv[1])
ids = [item.template_id for _, items in store.export() for item in items]
print("ready", flush=True)
store.reembed(OTHER, 12, zip(ids, vectors(len(ids), 12, seed=1)))
print("done", flush=True)
"""


def test_a_kill_while_re_encoding_leaves_the_old_or_the_new_never_a_mixture(tmp_path: Path) -> None:
    rng, outcomes = random.Random(1), set()
    old, new = vectors(3000, seed=0), vectors(3000, 12, seed=1)
    for number in range(6):
        path = tmp_path / f"{number}.db"
        with open_store(path, space=SPACE, dimension=DIMENSION) as store:
            store.add_many(NewPerson(f"p{i}", [template(v)]) for i, v in enumerate(old))
        worker = python(REEMBED, path)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.12))
        worker.kill()
        rest, _ = worker.communicate()
        with open_store(path) as store:
            assert store.check().ok
            assert store.space in ((OTHER,) if "done" in rest else (SPACE, OTHER))
            probes = old[:20] if store.space == SPACE else new[:20]
            assert [answer[0].name for answer in store.search(probes)] == [f"p{i}" for i in range(20)]
            outcomes.add(store.space)


WRITER = """
import sys, time
from sameface.gallery import open_store
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors
tag, seconds = sys.argv[2], float(sys.argv[3])
face = vectors(1, seed=int(tag))[0]
with open_store(sys.argv[1], space=SPACE, dimension=DIMENSION) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    count, stop = 0, time.monotonic() + seconds
    while time.monotonic() < stop:
        store.add(f"{tag}-{count}", [template(face)])
        count += 1
print(count)
"""
READER = """
import sys, time
from sameface.gallery import open_store
from tests.gallery.worlds import DIMENSION, SPACE, vectors
seconds, probe = float(sys.argv[2]), vectors(1, seed=1)[0]
with open_store(sys.argv[1], space=SPACE, dimension=DIMENSION, threads=1) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    searches, seen, stop = 0, 0, time.monotonic() + seconds
    while time.monotonic() < stop:
        # The people that were counted before a search must be in its answer: no stale answers.
        before = len(store)
        found = len(store.search(probe, 10**9)[0]) if searches % 20 == 0 else before
        assert found >= before >= seen
        assert store.search(probe)[0] or before == 0
        searches, seen = searches + 1, before
print(searches)
"""


def test_readers_are_fresh_and_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    open_store(path, space=SPACE, dimension=DIMENSION).close()
    writers = [python(WRITER, path, tag, SECONDS) for tag in (1, 2)]
    readers = [python(READER, path, SECONDS) for _ in range(2)]
    let_go([*writers, *readers])
    counts = []
    for worker in (*writers, *readers):
        said, errors = worker.communicate(60)
        assert worker.returncode == 0, errors
        counts.append(int(said))
    one, other, *searches = counts
    assert min(searches) > 5
    with open_store(path) as store:
        assert len(store) == one + other
        assert store.check().ok
    assert min(one, other) * 10 > max(one, other)  # or it would be starvation


def let_go(processes: Iterable[Forked]) -> None:
    """Have them begin together, once all are ready."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.mark.parametrize("seed", range(3))
def test_forgotten_bytes_are_on_no_file_any_more(tmp_path: Path, seed: int) -> None:
    path, rng = tmp_path / "people.db", random.Random(seed)
    gone: list[bytes] = []
    world: dict[str, list[object]] = {}
    with open_store(path, space=SPACE, dimension=64) as store, open_store(path) as reader:
        for number in range(60):
            new = {
                f"{number}-{i}": list(vectors(rng.randint(1, 3), 64, seed=1000 * number + i))
                for i in range(rng.randint(1, 12))
            }
            store.add_many(
                NewPerson(name, [template(v, source="/secret/" + name) for v in own]) for name, own in new.items()
            )  # type: ignore[arg-type]
            world |= new
            reader.search(vectors(1, 64))
            for name in rng.sample(sorted(world), min(len(world), rng.randint(0, 6))):
                gone += [v.tobytes() for v in world[name]] + [f"/secret/{name}\0".encode()[:-1]]  # type: ignore[attr-defined]
                store.forget(name)
                del world[name]
            if number % 20 == 19:
                bytes_on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
                left = [
                    piece
                    for piece in gone
                    if len(piece) > 100 and any(piece[i : i + 24] in bytes_on_disk for i in (0, 100, 200))
                ]
                assert not left
        assert len(gone) > 100
        assert all(
            v.tobytes() in b"".join(f.read_bytes() for f in tmp_path.iterdir())
            for own in list(world.values())[:5]
            for v in own
        )  # type: ignore[attr-defined]


DOOR = """
import sys
from sameface.gallery import open_store
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors
store = open_store(sys.argv[1], space=SPACE, dimension=DIMENSION, patience=60)
print("ready", flush=True)
sys.stdin.readline()
for number in range(10):
    photos = [template(face, source_sha256=f"{number}{place}".rjust(64, "0")) for place, face in enumerate(vectors(2, seed=number))]
    def new_ones(sight):
        known = {item.template.source_sha256 for item in sight.templates}
        return [place for place, photo in enumerate(photos) if photo.source_sha256 not in known]
    def strangers(sight):
        return [] if sight.neighbours[0] and sight.neighbours[0][0].distance < 0.1 else [0]
    store.admit(f"same {number}", photos, new_ones)
    store.admit(f"{number} at door {sys.argv[2]}", [template(vectors(1, seed=100 + number)[0])], strangers)
"""


def test_six_processes_that_enroll_the_same_store_it_once(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    doors = [python(DOOR, path, number) for number in range(6)]
    let_go(doors)
    for door in doors:
        door.communicate(timeout=120)
        assert door.returncode == 0
    with open_store(path) as store:
        people = store.people()
        assert [person.photos for person in people if person.name.startswith("same")] == [2] * 10
        assert sorted(person.name.split()[0] for person in people if "door" in person.name) == sorted(
            map(str, range(10))
        )
        assert store.check().ok

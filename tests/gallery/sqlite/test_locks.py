"""Processes that look at a gallery twice keep their locks: nothing acknowledged is lost, nobody comes back, whoever ends first.

POSIX cancels all locks of a process on a file when it closes *any* descriptor of that file, so one `open` and `close` of our own beside SQLite lets
the next process that ends delete the log that this one still writes to.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sameface.errors import GalleryError
from sameface.gallery import open_store
from tests.forked import python
from tests.gallery.worlds import DIMENSION, SPACE, face, template

#: How many random runs of several processes; 200 for a thorough look.
RUNS = int(os.environ.get("SAMEFACE_LOCK_RUNS", "6"))

#: Does what its standard input says, and answers each line.
OBEDIENT = """
import sys
from sameface.gallery import open_store, read_space
from tests.gallery.worlds import DIMENSION, SPACE, face, template
store = open_store(sys.argv[1], space=SPACE, dimension=DIMENSION)
print("open", flush=True)
for line in sys.stdin:
    act, _, name = line.strip().partition(" ")
    answer = "done"
    if act == "add":
        store.add(name, [template(face(name))])
    elif act == "forget":
        store.forget(name)
    elif act == "list":
        with open_store(sys.argv[1], create=False) as again:
            again.people()
    elif act == "space":
        read_space(sys.argv[1])
    elif act == "who":
        answer = " ".join(found.name for found in store.search(face(name), 9)[0])
    print(answer, flush=True)
store.close()
"""

#: Does random things, and says each before and after it, with the time.
FICKLE = """
import random, sys, time
from sameface.errors import PersonNotFoundError
from sameface.gallery import open_store, read_space
from tests.gallery.worlds import DIMENSION, SPACE, face, template
path, seed, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = random.Random(seed)
def say(*words): print(*words, time.monotonic(), flush=True)
store = open_store(path, space=SPACE, dimension=DIMENSION)
for number in range(steps):
    act = rng.choice(["add", "add", "forget", "search", "list", "space", "export", "reopen"])
    if act == "add":
        name = f"{seed}-{number}"
        say("try", "add", name)
        store.add(name, [template(face(name))])
        say("did", "add", name)
    elif act == "forget":
        names = [person.name for person in store.people()]
        if not names:
            continue
        name = rng.choice(names)
        say("try", "forget", name)
        try:
            store.forget(name)
        except PersonNotFoundError:  # another process was quicker
            continue
        say("did", "forget", name)
    elif act == "search":
        begun = time.monotonic()
        for found in store.search(face("anybody"), 1000)[0]:
            print("saw", "search", found.name, begun, flush=True)
    elif act == "list":
        with open_store(path, create=False) as again:
            begun = time.monotonic()
            for person in again.people():
                print("saw", "list", person.name, begun, flush=True)
    elif act == "space":
        read_space(path)
    elif act == "export":  # a slow reader: who is forgotten meanwhile is pending
        for _ in store.export():
            time.sleep(0.001)
    else:
        store.close()
        store = open_store(path, space=SPACE, dimension=DIMENSION)
if rng.random() < 0.5:
    store.close()
"""


class Process:
    """Another process with the gallery open, which does what it is told."""

    def __init__(self, path: Path) -> None:
        self._running = python(OBEDIENT, path)
        assert self._answer() == "open"

    def __call__(self, *words: str) -> str:
        assert self._running.stdin is not None
        self._running.stdin.write(" ".join(words) + "\n")
        self._running.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._running.stdout is not None
        return self._running.stdout.readline().strip()

    def end(self, *, killed: bool) -> None:
        if killed:
            self._running.kill()
        self._running.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery of one person."""
    made = tmp_path / "people.db"
    with open_store(made, space=SPACE, dimension=DIMENSION) as store:
        store.add("first", [template(face("first"))])  # type: ignore[arg-type]
    return made


def names(path: Path) -> set[str]:
    with open_store(path, create=False) as store:
        report = store.check()
        assert report.ok, report.problems
        return {person.name for person in store.people()}


def bytes_beside(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
@pytest.mark.parametrize("look", ["list", "space"])
def test_what_is_enrolled_after_a_second_look_is_kept(path: Path, look: str, killed: bool) -> None:
    one = Process(path)
    one("add", "one")
    one(look)
    two = Process(path)
    two("add", "two")
    two.end(killed=False)  # "the last one that has it open", if the locks of the first are gone: it takes the log away
    one("add", "three")
    one.end(killed=killed)
    assert names(path) == {"first", "one", "two", "three"}


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
@pytest.mark.parametrize("look", ["list", "space"])
def test_whoever_is_forgotten_by_another_process_stays_so(path: Path, look: str, killed: bool) -> None:
    one = Process(path)
    one("add", "gone")
    one(look)
    assert "gone" in one("who", "gone")
    two = Process(path)
    two("forget", "gone")
    two.end(killed=False)
    assert "gone" not in one("who", "gone")
    one("add", "later")
    one.end(killed=killed)
    assert names(path) == {"first", "later"}
    assert face("gone").tobytes() not in bytes_beside(path)  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_opens_its_own(path: Path) -> None:
    """It has the store of its parent, but none of its locks: whatever it wrote could be lost."""
    with open_store(path, create=False) as store:
        assert len(store) == 1
        child = os.fork()
        if not child:
            outcome = 1
            try:
                for call in (lambda: len(store), lambda: store.add("late", [template(face("late"))])):  # type: ignore[arg-type]
                    with pytest.raises(GalleryError, match="before it forked"):
                        call()
                store.close()
                with open_store(path, create=False) as own:
                    own.add("child", [template(face("child"))])  # type: ignore[arg-type]
                outcome = 0
            finally:
                os._exit(outcome)
        assert os.waitpid(child, 0)[1] == 0
        store.add("parent", [template(face("parent"))])  # type: ignore[arg-type]
        assert "child" in store
    assert names(path) == {"first", "child", "parent"}


def _run(path: Path, seed: int) -> Iterator[list[Sequence[str]]]:
    """Two or three random processes, some of them killed. Yields what each said."""
    rng = random.Random(seed)
    workers = [python(FICKLE, path, f"{seed}.{number}", rng.randint(5, 40)) for number in range(rng.randint(2, 3))]
    time.sleep(rng.uniform(0.0, 0.15))
    for worker in workers:
        if rng.random() < 0.5:
            worker.send_signal(signal.SIGKILL)
            time.sleep(rng.uniform(0, 0.05))
    for worker in workers:
        said, _ = worker.communicate(timeout=120)
        assert worker.returncode in (0, -signal.SIGKILL)
        yield [line.split() for line in said.split("\n")[:-1]]  # a last line that was cut is no statement


@pytest.mark.parametrize("seed", range(RUNS))
def test_random_processes_lose_nothing_and_bring_nobody_back(path: Path, seed: int) -> None:
    said = [line for lines in _run(path, seed) for line in lines]
    added = {name for word, act, name, _ in said if (word, act) == ("did", "add")}
    perhaps = {name for word, act, name, _ in said if (word, act) == ("try", "add")}
    tried = {name for word, act, name, _ in said if (word, act) == ("try", "forget")}
    gone = {name: float(when) for word, act, name, when in said if (word, act) == ("did", "forget")}
    seen = [(name, float(when)) for word, _, name, when in said if word == "saw"]
    assert not [name for name, when in seen if when > gone.get(name, float("inf"))], "named after it was forgotten"
    found = names(path)
    assert not (added | {"first"}) - tried - found, "lost"
    assert not found & set(gone), "back"
    assert found <= perhaps | {"first"}
    raw = bytes_beside(path)
    assert not [name for name in gone if face(name).tobytes() in raw], "in the bytes"  # type: ignore[attr-defined]


#: Uses a gallery, a copy and the cache of evaluations in every way, and prints what Python opened.
EVERYTHING = """
import sys
from pathlib import Path
from sameface.evaluation.cache import EmbeddingCache
from sameface.gallery import open_store, read_space
from sameface.gallery.transfer import copy_gallery
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, face, template
from sameface.cli.__main__ import main
from sameface.errors import NotAnImageError
from sameface.imaging import load_image
folder = Path(sys.argv[1])
seen = set()
sys.addaudithook(lambda event, args: seen.add(str(args[0])) if event == "open" else None)
path, other = folder / "people.db", folder / "other.db"
with open_store(path, space=SPACE, dimension=DIMENSION) as store, open_store(other, space=SPACE, dimension=DIMENSION) as copy:
    for ending in ("", "-wal", "-shm"):  # `sameface identify *` in the gallery's own folder
        try:
            load_image(str(path) + ending)
        except NotAnImageError as refusal:
            assert "gallery that is in use" in str(refusal), refusal
    store.add("Ada", [template(face("Ada"))]); store.add("Bob", [template(face("Bob"))])
    store.search(face("Ada")); store.check(); store.stats(); store.audit(); store.compact(); store.reindex()
    read_space(path); copy_gallery(store, copy); store.forget("Bob"); list(store.export())
    place = ["--gallery", str(path)]
    for words in (["people", *place], *(["gallery", word, *place] for word in ("check", "stats", "audit", "compact", "reindex")), ["doctor"],
                  ["gallery", "export", str(folder / "x.npz"), *place], ["gallery", "copy", str(path), str(folder / "third.db")],
                  ["forget", "Ada", *place]):
        sys.argv = ["sameface", *words]
        try:
            main()
        except SystemExit as done:
            assert not done.code, words
with EmbeddingCache(folder / "kept.sqlite"), EmbeddingCache(folder / "kept.sqlite"):
    seen.discard(str(folder / "kept.sqlite"))  # made by us, before SQLite came
    EmbeddingCache(folder / "kept.sqlite")
for name in sorted(seen):
    print("OPENED", name)
"""


def test_nothing_opens_a_database_beside_sqlite(tmp_path: Path) -> None:
    running = python(EVERYTHING, tmp_path)
    said, errors = running.communicate(120)
    assert running.returncode == 0, errors
    opened = [line.removeprefix("OPENED ") for line in said.splitlines() if line.startswith("OPENED ")]
    assert any(name.endswith("people.db-writers") for name in opened), "the hook sees nothing"
    ours = [name for name in opened if name.startswith(str(tmp_path))]
    assert not [name for name in ours if name.removesuffix("-wal").removesuffix("-shm").endswith((".db", ".sqlite"))]

"""Locks on open files, by the standard library and by the library that stands in for it on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sameface import file_locks

ROOT = Path(__file__).parents[1]


@pytest.fixture(params=["fcntl", "portalocker"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "portalocker":
        pytest.importorskip("portalocker")
        monkeypatch.setattr(file_locks, "fcntl", None)


def test_one_open_file_excludes_another_of_the_same_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("wb") as one, path.open("r+b") as two:
        assert file_locks.try_lock(one)
        assert not file_locks.try_lock(two)
        file_locks.unlock(one)
        assert file_locks.try_lock(two)
        two.close()
        file_locks.lock(one)  # would wait for ever


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    program = f"""
import sys, time
from sameface import file_locks
file = open({str(path)!r}, "r+b")
assert file_locks.try_lock(file)
print("held", flush=True)
time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with path.open("r+b") as file:
        assert not file_locks.try_lock(file)
        holder.kill()
        holder.communicate()
        assert file_locks.try_lock(file)


#: What Windows lacks of Linux is taken away before anything of ours is imported.
ELSEWHERE = """
import os, sys
import portalocker
sys.modules["fcntl"] = None
for name in ("statvfs", "pread", "pwrite", "ST_RDONLY", "O_CLOEXEC"):
    delattr(os, name)
from sameface.gallery import NewPerson, open_store
from sameface.gallery.following import live_index
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors
live_index.CACHE_FROM = 50
faces = vectors(100)
for _ in range(3):
    with open_store(sys.argv[1], space=SPACE, dimension=DIMENSION) as store:
        if not len(store):
            store.add_many(NewPerson(f"p{i}", [template(face)]) for i, face in enumerate(faces))
        if "p7" in store and os.path.exists(sys.argv[1] + "-cache"):
            assert store.forget("p7").elsewhere["search cache"] == 1
        assert store.search(faces[9])[0][0].name == "p9"
        assert store.check().ok
assert len(open_store(sys.argv[1])) == 99
"""


def test_a_gallery_works_without_what_only_linux_has(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "people.db")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr

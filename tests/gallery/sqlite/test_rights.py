"""What only a gallery file can show: forgetting in time across processes, and what of it lies in bytes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sameface.gallery import NewPerson, open_store
from sameface.gallery.following import live_index
from tests.forked import python
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

#: Opens the gallery, searches until the end of the second argument's moment and some time after, and says when it last met anybody who ended.
WATCHER = """
import sys, time
from datetime import UTC, datetime
import numpy as np
from sameface.gallery import open_store

store = open_store(sys.argv[1], create=False)
probe = np.load(sys.argv[3])
store.search(probe)
print("ready", flush=True)
end = datetime.fromisoformat(sys.argv[2])
late = 0
while (now := datetime.now(UTC)).timestamp() < end.timestamp() + 1:
    named = [c.name for c in store.search(probe, 3)[0]] + [p.name for p in store.people()]
    late += now >= end and any(name.startswith("brief") for name in named)
    time.sleep(0.005)  # looks hundreds of times, and leaves the processor to others
print(late)
"""


def moment_in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def test_no_process_names_anybody_after_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_index, "CACHE_FROM", 10)
    path, faces = tmp_path / "people.db", vectors(40, seed=3)
    np.save(tmp_path / "probe.npy", faces[0])
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        store.add_many(NewPerson(f"long{i}", [template(v)]) for i, v in enumerate(faces[20:]))
        end = moment_in(3)
        store.add_many(NewPerson(f"brief{i}", [template(v)], keep_until=end) for i, v in enumerate(faces[:20]))
        store.warm()
    watchers = [python(WATCHER, path, end, tmp_path / "probe.npy") for _ in range(2)]
    said = [watcher.communicate(timeout=120)[0].split() for watcher in watchers]
    assert said == [["ready", "0"]] * 2
    with open_store(path) as store:
        assert len(store.expire().people) == 20
        assert len(store) == 20
        assert store.check().ok
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("people.db"))
    assert not [v for v in faces[:20] if v.tobytes() in raw]
    assert b"brief" not in raw


def test_many_expire_and_every_line_of_the_audit_holds(tmp_path: Path) -> None:
    path, faces = tmp_path / "people.db", vectors(2500, seed=4)
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        old = "2020-01-01T00:00:00+00:00"
        store.add_many(NewPerson(f"p{i}", [template(v)], keep_until=old if i % 2 else "") for i, v in enumerate(faces))
        done = store.expire()
        assert (len(done.people), done.templates, len(store)) == (1250, 1250, 1250)
        lines = [entry for entry in store.audit(5000) if entry.action == "expire"]
        assert {entry.person_id for entry in lines} == set(done.people)
        assert store.check().ok
        assert store.search(faces[1])[0][0].name != "p1"
        assert store.search(faces[2])[0][0].name == "p2"


def test_the_clock_alone_ends_somebodys_time(tmp_path: Path) -> None:
    with open_store(tmp_path / "people.db", space=SPACE, dimension=DIMENSION) as store:
        (face,) = vectors(1)
        store.add("Ada", [template(face)])
        store.update("Ada", keep_until=moment_in(2))
        assert store.search(face)[0][0].name == "Ada"
        while "Ada" in store:
            time.sleep(0.1)
        assert store.search(face) == [[]]

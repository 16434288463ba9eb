"""Programs that are killed while they enroll and forget on a server: what was acknowledged is there, who was forgotten is not."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from sameface.gallery import open_store
from tests.forked import python
from tests.gallery.postgres_server import GivenServer, Server
from tests.gallery.sqlite.test_processes import WORKER, faces_of, found_in
from tests.gallery.worlds import DIMENSION, SPACE, slow_search, vectors

#: How many kills; 20 for a thorough look.
KILLS = int(os.environ.get("SAMEFACE_KILLS", "4"))


def test_kills_lose_nothing_and_bring_nobody_back(
    server: Server | GivenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_SEARCH_CACHE", str(tmp_path))
    location, rng = server.new_schema(), random.Random(0)
    open_store(location, space=SPACE, dimension=DIMENSION).close()
    enrolled: set[str] = set()
    forgotten: set[str] = set()
    unsure: set[str] = set()
    for kill in range(KILLS):
        worker = python(WORKER, location, kill)
        assert worker.stdout is not None
        lines = [worker.stdout.readline() for _ in range(rng.randint(1, 25))]
        time.sleep(rng.uniform(0.0, 0.004))  # into the middle of what comes next
        worker.kill()
        rest, _ = worker.communicate()
        lines += [line + "\n" for line in rest.split("\n")[:-1]]
        # The server may still be about to do what the program before was killed in, so that stays open for one look more.
        asked: set[str] = set()
        for line in lines:
            said, act, name = line.split()
            if said == "try":
                asked = {name}
                continue
            asked = set()
            (enrolled.add if act == "add" else enrolled.discard)(name)
            if act == "forget":
                forgotten.add(name)
        unsure |= asked
        with open_store(location, space=SPACE, dimension=DIMENSION) as store:
            report, people = store.check(), store.people()
            found = {person.name for person in people}
            assert report.ok, report.problems
            assert found - unsure == enrolled - unsure
            assert all(person.photos == 2 for person in people)
            world = {person.name: faces_of(person.name) for person in people}
            for probe in vectors(3, seed=kill):
                assert [c.name for c in store.search(probe, 3)[0]] == [name for name, _ in slow_search(probe, world, 3)]  # type: ignore[arg-type]
        assert found_in(tmp_path, forgotten) == []  # the program's own cache
        enrolled, unsure = found, asked
    assert enrolled
    assert len(forgotten) >= KILLS
    if isinstance(server, Server):
        # The server's tables hold nobody after `compact`; its log (pg_wal) goes by its own rules, and the docs say so.
        with open_store(location, space=SPACE, dimension=DIMENSION) as store:
            store.compact()
        server.stop()  # what is in its memory goes to its files
        try:
            assert found_in(server.home / "data" / "base", forgotten) == []
            assert set(found_in(server.home / "data" / "base", enrolled)) == enrolled
        finally:
            server.start()

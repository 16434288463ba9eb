"""Events that wait: in order, over kills, delivered at least once to each target."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from sameface.errors import OutputError
from sameface.events import Outbox
from tests.forked import python

WRITER = """
import sys
from pathlib import Path
from sameface.events import Outbox
box = Outbox(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    box.put(str(number).encode(), ["a", "b"])
    print(number, flush=True)  # acknowledged
    number += 1
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_target_gets_its_events_in_order(tmp_path: Path):
    with_clock = Outbox(tmp_path / "box.db", clock=Clock())
    ids = [with_clock.put(body, ["a", "b"]) for body in (b"1", b"2")]
    first = with_clock.due("a")
    assert first is not None
    assert (first.body, first.event_id) == (b"1", ids[0])
    with_clock.delivered(first)
    second = with_clock.due("a")
    assert second is not None
    assert second.body == b"2"
    other = with_clock.due("b")
    assert other is not None
    assert (other.body, other.event_id) == (b"1", ids[0])
    assert len(with_clock) == 3
    with_clock.close()


def test_a_failure_waits_twice_as_long_each_time_and_five_minutes_at_most(tmp_path: Path):
    clock = Clock()
    box = Outbox(tmp_path / "box.db", clock=clock)
    box.put(b"1", ["a"])
    box.put(b"2", ["a"])
    pauses = []
    for _ in range(12):
        waiting = box.due("a")
        assert waiting is not None
        assert waiting.body == b"1", "those behind it wait, or they would come first"
        pauses.append(box.failed(waiting))
        assert box.due("a") is None
        clock.now += pauses[-1]
    assert pauses[:4] == [1, 2, 4, 8]
    assert max(pauses) == 300
    box.close()


def test_an_outbox_goes_on_where_it_was(tmp_path: Path):
    box = Outbox(tmp_path / "box.db")
    box.put(b"1", ["a"])
    box.close()
    again = Outbox(tmp_path / "box.db")
    assert len(again) == 1
    assert (tmp_path / "box.db").stat().st_mode & 0o077 == 0
    again.close()


def test_kills_lose_nothing_that_was_acknowledged(tmp_path: Path):
    acknowledged = []
    for run in range(4):
        process = python(WRITER, tmp_path / "box.db", run * 10_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.Random(run).uniform(0, 0.1))
        process.kill()
        rest, _ = process.communicate()
        acknowledged += [run * 10_000, *(int(word) for word in rest.split())]
    box = Outbox(tmp_path / "box.db")
    for target in ("a", "b"):
        found = []
        while (waiting := box.due(target)) is not None:
            found.append(json.loads(waiting.body))
            box.delivered(waiting)
        assert set(acknowledged) <= set(found)
        assert len(found) <= len(acknowledged) + 4, "one at most was on its way at each kill"
    assert len(box) == 0
    box.close()


def test_what_is_no_outbox_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_bytes(b"not a database" * 100)
    with pytest.raises(OutputError):
        Outbox(tmp_path / "notes.txt")
    with pytest.raises(OutputError):
        Outbox(tmp_path / "nowhere" / "box.db")

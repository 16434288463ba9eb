"""The audit trail: complete, in a chain, and never silently lost."""

from __future__ import annotations

import errno
import json
import os

import pytest

from sameface.errors import StorageFullError
from sameface.service import audit
from sameface.service.audit import AuditTrail, check_trail
from tests.forked import python

#: As `write`, three hundred lines.
WRITER = """
import sys
from pathlib import Path
from sameface.service.audit import AuditTrail
trail = AuditTrail(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(300):
    trail.note("identify", request_id=str(number), key=sys.argv[2])
trail.close()
"""


def write(path, count: int, key: str = "k") -> None:
    trail = AuditTrail(path)
    for number in range(count):
        trail.note("identify", request_id=str(number), key=key)
    trail.close()


def test_every_line_follows_from_the_one_before_it(tmp_path):
    path = tmp_path / "audit.jsonl"
    write(path, 3)
    write(path, 2)
    found = check_trail(path)
    assert (found.lines, found.broken_at) == (5, None)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("how", ["changed", "taken out", "put in", "swapped"])
def test_what_was_tampered_with_shows(tmp_path, how):
    path = tmp_path / "audit.jsonl"
    write(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "changed":
        lines[2] = lines[2].replace(b'"key":"k"', b'"key":"x"')
    elif how == "taken out":
        del lines[2]
    elif how == "put in":
        lines.insert(2, lines[1])
    else:
        lines[1], lines[2] = lines[2], lines[1]
    path.write_bytes(b"".join(lines))
    assert check_trail(path).broken_at in (2, 3, 4)


def test_processes_share_a_trail(tmp_path):
    path = tmp_path / "audit.jsonl"
    writers = [python(WRITER, path, number) for number in range(3)]
    assert [one.stdout.readline() for one in writers] == ["ready\n"] * 3
    for one in writers:  # the end of their input lets them go
        one.stdin.close()
    for one in writers:
        one.communicate(60)
        assert one.returncode == 0
    assert check_trail(path) == audit.Trail(900, None, check_trail(path).head)


def test_a_full_disk_loses_no_line_and_stops_further_work(tmp_path, monkeypatch):
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path)
    trail.note("enroll", request_id="1", key="k")
    write_whole = os.write

    def half(file: int, data: bytes) -> int:
        if len(data) < 100:
            return write_whole(file, data)
        write_whole(file, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    trail.note("forget", request_id="2", key="k")
    with pytest.raises(StorageFullError):
        trail.check_room()
    assert len(path.read_text().splitlines()) == 1  # no half line
    monkeypatch.undo()
    trail.check_room()
    trail.close()
    assert [json.loads(line)["request_id"] for line in path.read_text().splitlines()] == ["1", "2"]
    assert check_trail(path).broken_at is None


def test_a_line_that_a_kill_cut_short_is_seen_and_the_rest_goes_on(tmp_path):
    path = tmp_path / "audit.jsonl"
    write(path, 2)
    with path.open("ab") as file:
        file.write(b'{"at": "2026')
    write(path, 2)
    assert check_trail(path).broken_at == 3
    assert len(path.read_text().splitlines()) == 5


def test_a_rotated_trail_goes_on_in_a_new_file(tmp_path):
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path)
    trail.note("a", request_id="1", key="")
    path.rename(tmp_path / "audit.1")
    trail.note("b", request_id="2", key="")
    trail.close()
    assert check_trail(path).lines == 1
    assert check_trail(tmp_path / "audit.1").lines == 1


def test_without_a_file_nothing_is_written():
    trail = AuditTrail(None)
    trail.note("a", request_id="1", key="")
    trail.check_room()
    trail.close()

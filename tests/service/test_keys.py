from __future__ import annotations

import hashlib
import json
import multiprocessing
import stat
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sameface.errors import KeyFileError, NotAllowedError, NotAuthenticatedError, SettingError
from sameface.service.audit import check_trail
from sameface.service.key_file import KeyFile
from sameface.service.key_use import KeyUse
from sameface.service.keys import ALLOWED, OPEN_DOOR, Caller


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "keys.json")


def test_a_key_opens_and_its_file_does_not_hold_it(file):
    key, stored = file.add("identify", ("team-2",), "the door")
    assert file.caller(key) == Caller(stored.id, "identify", ("team-2",))
    text = file.path.read_text()
    secret = key.split("_", 2)[2]
    assert secret not in text
    assert json.loads(text)["keys"][0]["sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_other_keys_do_not_open(file):
    key, stored = file.add("admin")
    for wrong in (
        "",
        "sf_",
        key[:-1],
        key + "A",
        key.swapcase(),
        key.replace(stored.id, "0" * 12),
        f" {key}",
        key + "\n",
        "é" * 60,
    ):
        with pytest.raises(NotAuthenticatedError):
            file.caller(wrong)


def test_revoking_works_at_once_for_other_processes(file):
    key, stored = file.add("read")
    other = KeyFile(file.path)
    assert other.caller(key).role == "read"
    file.revoke(stored.id)
    with pytest.raises(NotAuthenticatedError):
        other.caller(key)
    with pytest.raises(SettingError):
        file.revoke(stored.id)


def test_keys_made_by_two_processes_are_both_kept(file):
    first, _ = file.add("read")
    second, _ = KeyFile(file.path).add("admin")
    assert [file.caller(key).role for key in (first, second)] == ["read", "admin"]


def test_a_missing_file_has_no_keys_and_a_broken_one_is_an_error(file):
    assert file.keys() == []
    for broken in ("[{]", "{}", '{"schema": 3, "keys": []}', ""):
        file.path.write_text(broken)
        with pytest.raises(KeyFileError, match="keys"):
            file.keys()


def test_a_service_lets_nobody_in_by_a_file_that_is_not_there(file):
    key, _ = file.add("admin")
    file.check()
    file.path.unlink()
    for ask in (file.check, lambda: file.caller(key)):
        with pytest.raises(KeyFileError, match="nothing there"):
            ask()


def test_who_else_may_read_or_write_the_file_is_said(file):
    file.add("admin")
    assert file.check() == ""
    file.path.chmod(0o644)
    assert "chmod 600" in file.check()
    file.path.chmod(0o660)
    with pytest.raises(KeyFileError, match="only its owner may write"):
        file.check()


def _make_many(path, count: int) -> None:
    for _ in range(count):
        KeyFile(path).add("read")


def test_revoked_keys_stay_revoked_while_others_are_made(file):
    """Of 40 keys revoked beside a process that made keys, 28 came back: it wrote what it had read before."""
    made = [file.add("identify")[1].id for _ in range(20)]
    maker = multiprocessing.get_context("spawn").Process(target=_make_many, args=(file.path, 30))
    maker.start()
    while len(file.keys()) == 20:
        time.sleep(0.001)
    for identity in made:
        file.revoke(identity)
    maker.join()
    left = KeyFile(file.path).keys()
    assert not {key.id for key in left} & set(made)
    assert len(left) == 30


def test_a_key_ends(tmp_path):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    file = KeyFile(tmp_path / "keys.json", lambda: now)
    key, _ = file.add("read", expires=now + timedelta(hours=1))
    assert file.caller(key).role == "read"
    now += timedelta(hours=1)
    with pytest.raises(NotAuthenticatedError, match="expired"):
        file.caller(key)


def test_a_key_is_rotated_without_a_gap(tmp_path):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    file = KeyFile(tmp_path / "keys.json", lambda: now)
    old, stored = file.add("enroll", ("people",), "the gate", rate=5.0)
    new, fresh = file.rotate(stored.id, timedelta(days=1))
    assert file.caller(old).galleries == file.caller(new).galleries == ("people",)
    assert (fresh.note, fresh.rate) == ("the gate", 5.0)
    now += timedelta(days=1)
    with pytest.raises(NotAuthenticatedError):
        file.caller(old)
    assert file.caller(new).key_id == fresh.id
    with pytest.raises(SettingError):
        file.rotate("nobody", timedelta(0))


def test_files_of_the_first_form_still_open(tmp_path):
    """The file as the first form wrote it, and the key that it belongs to."""
    path = tmp_path / "keys.json"
    path.write_bytes((Path(__file__).parent / "golden" / "keys-1.json").read_bytes())
    file = KeyFile(path)
    assert file.caller("sf_0123456789ab_" + "A" * 43).galleries == ("people",)
    file.add("read")  # rewrites it
    assert file.caller("sf_0123456789ab_" + "A" * 43).role == "identify"


def test_the_form_of_today_is_kept(tmp_path):
    path = tmp_path / "keys.json"
    path.write_bytes((Path(__file__).parent / "golden" / "keys-2.json").read_bytes())
    (stored,) = KeyFile(path).keys()
    assert (stored.role, stored.expires, stored.rate, stored.burst) == ("enroll", "2100-01-01T00:00:00+00:00", 2.5, 7)
    assert KeyFile(path).caller("sf_0123456789ab_" + "A" * 43).rate == 2.5


def test_changes_are_recorded(file):
    _, stored = file.add("read")
    file.rotate(stored.id, timedelta(0))
    file.revoke(stored.id)
    trail = file.path.with_name("keys.json.audit.jsonl")
    assert check_trail(trail).broken_at is None
    lines = [json.loads(line) for line in trail.read_text().splitlines()]
    assert [line["action"] for line in lines] == ["add key", "rotate key", "add key", "revoke key"]
    assert lines[3]["key"] == stored.id


def test_last_uses_of_several_processes_are_joined(file):
    one, two = KeyUse(file.path), KeyUse(file.path)
    one.note("a")
    two.note("a")
    two.note("b")
    one.write()
    two.write()
    two.write()
    assert set(KeyUse(file.path).last()) == {"a", "b"}
    one.path.write_text("broken")
    assert one.last() == {}


@pytest.mark.parametrize("bad", [("owner", ("*",)), ("admin", ())])
def test_keys_that_make_no_sense(file, bad):
    with pytest.raises(SettingError):
        file.add(*bad)


def test_roles_only_grow():
    order = ["read", "identify", "enroll", "admin"]
    for smaller, larger in pairwise(order):
        assert ALLOWED[smaller] < ALLOWED[larger]


@pytest.mark.parametrize(
    ("role", "may"), [("read", {"see"}), ("identify", {"see", "ask"}), ("enroll", {"see", "ask", "write", "erase"})]
)
def test_what_roles_may(role, may):
    caller = Caller("x", role, ("a",))
    for action in ("see", "ask", "write", "erase", "rule"):
        if action in may:
            caller.require(action, "a")
        else:
            with pytest.raises(NotAllowedError):
                caller.require(action, "a")


def test_scope():
    Caller("x", "admin", ("a", "b")).require("rule", "b")
    with pytest.raises(NotAllowedError, match="others"):
        Caller("x", "admin", ("a", "b")).require("see", "c")
    OPEN_DOOR.require("rule", "anything")

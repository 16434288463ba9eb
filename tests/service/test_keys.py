from __future__ import annotations

import hashlib
import json
import stat
from itertools import pairwise

import pytest

from sameface.errors import NotAllowedError, NotAuthenticatedError, SettingError
from sameface.service.keys import ALLOWED, OPEN_DOOR, Caller, KeyFile


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "keys.json")


def test_a_key_opens_and_its_file_does_not_hold_it(file):
    key, stored = file.add("identify", ("team-2",), "the door")
    assert file.caller(key) == Caller(stored.id, "identify", ("team-2",))
    text = file.path.read_text()
    secret = key.split("_", 2)[2]
    assert secret not in text
    assert json.loads(text)[0]["sha256"] == hashlib.sha256(secret.encode()).hexdigest()
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
    file.path.write_text("[{]")
    with pytest.raises(SettingError, match="keys"):
        file.keys()


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

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sameface.cli.keys import app
from sameface.errors import NotAuthenticatedError, SettingError
from sameface.service.key_file import KeyFile


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_a_key_is_made_listed_and_revoked(tmp_path):
    file = tmp_path / "keys.json"
    key = run("add", "identify", "--gallery", "people", "--note", "the door", "--keys", str(file)).strip()
    assert KeyFile(file).caller(key).galleries == ("people",)
    (listed,) = json.loads(run("list", "--json", "--keys", str(file)))
    assert (listed["role"], listed["note"]) == ("identify", "the door")
    assert "sha256" not in listed
    assert key.split("_", 2)[2] not in run("list", "--keys", str(file))
    run("revoke", listed["id"], "--keys", str(file))
    with pytest.raises(NotAuthenticatedError):
        KeyFile(file).caller(key)


def test_mistakes(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMEFACE_KEYS", str(tmp_path / "here.json"))
    with pytest.raises(SettingError, match="role"):
        run("add", "owner")
    with pytest.raises(SettingError, match="id of a key"):
        run("revoke", "nothing")
    made = json.loads(run("add", "admin", "--json"))
    assert made["key"].startswith(f"sf_{made['id']}_")
    assert (tmp_path / "here.json").exists()

"""`sameface keys`: made, listed, rotated, ended, revoked, and the trail of who did it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sameface.cli.keys import app
from sameface.cli.moments import moment_of
from sameface.errors import DataError, NotAuthenticatedError, SettingError
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


def test_a_date_counts_to_its_end(monkeypatch):
    assert moment_of("2999-12-31") == datetime(3000, 1, 1, tzinfo=UTC)
    before = datetime.now(UTC)
    in_two_days = moment_of("2d")
    assert before + timedelta(days=2) <= in_two_days <= datetime.now(UTC) + timedelta(days=2)
    today = datetime.now(UTC).date().isoformat()
    assert moment_of(today).date() > datetime.now(UTC).date() - timedelta(days=1)


@pytest.mark.parametrize("text", ["2001-01-01", "2999-13-01", "0d", "-1d", "3 weeks", "", "1234567d", "٣d"])
def test_moments_that_are_none_or_over(text):
    with pytest.raises(SettingError):
        moment_of(text)


def test_a_key_of_its_own_rates_that_ends(tmp_path):
    file = tmp_path / "keys.json"
    made = json.loads(
        run("add", "read", "--expires", "2999-12-30", "--rate", "0.5", "--burst", "3", "--keys", str(file), "--json")
    )
    assert made["expires"].startswith("2999-12-31")
    (stored,) = KeyFile(file).keys()
    assert (stored.id, stored.rate, stored.burst, stored.expires) == (made["id"], 0.5, 3, made["expires"])
    (row,) = [line for line in run("list", "--keys", str(file)).splitlines() if made["id"] in line]
    assert "2999-12-31" in row


def test_rotation_leaves_no_gap_and_the_old_key_ends(tmp_path):
    file = tmp_path / "keys.json"
    old = json.loads(run("add", "enroll", "--gallery", "people", "--keys", str(file), "--json"))
    new = json.loads(run("rotate", old["id"], "--overlap", "1h", "--keys", str(file), "--json"))
    assert (new["role"], new["galleries"]) == ("enroll", ["people"])
    for key in (old["key"], new["key"]):
        assert KeyFile(file).caller(key).galleries == ("people",)
    listed = json.loads(run("list", "--keys", str(file), "--json"))
    ends = {item["id"]: item["expires"] for item in listed}
    assert ends[new["id"]] == ""
    assert datetime.now(UTC) < datetime.fromisoformat(ends[old["id"]]) <= datetime.now(UTC) + timedelta(hours=1)
    assert run("rotate", new["id"], "--keys", str(file)).strip().startswith("sf_")


def test_a_folder_is_no_file_of_keys(tmp_path):
    with pytest.raises(SettingError, match="file of keys"):
        run("list", "--keys", str(tmp_path))
    for nameless in (str(tmp_path), ".", "/"):
        with pytest.raises(SettingError, match="file of keys"):
            run("add", "read", "--keys", nameless)
    assert not list(tmp_path.iterdir())


def test_words_that_are_no_utf_8_are_refused(tmp_path):
    for option in ("--gallery", "--note"):
        with pytest.raises(SettingError, match="in UTF-8"):
            run("add", "read", option, "caf\udce9", "--keys", str(tmp_path / "keys.json"))
    assert not list(tmp_path.iterdir())


def trail_of(folder: Path) -> Path:
    """The trail that three changes of keys leave."""
    file = folder / "keys.json"
    first = json.loads(run("add", "read", "--keys", str(file), "--json"))
    run("add", "admin", "--keys", str(file))
    run("revoke", first["id"], "--keys", str(file))
    (trail,) = [path for path in folder.iterdir() if path != file and path.read_text().count("\n") == 3]
    return trail


def test_a_trail_that_nobody_touched(tmp_path):
    trail = trail_of(tmp_path)
    found = json.loads(run("check-audit", str(trail), "--json"))
    assert (found["lines"], found["broken_at"]) == (3, None)
    assert found["head"] in run("check-audit", str(trail))


@pytest.mark.parametrize(("change", "line"), [("edit", 2), ("cut", 2), ("swap", 1)])
def test_a_trail_that_somebody_changed(tmp_path, change, line):
    trail = trail_of(tmp_path)
    lines = trail.read_text().splitlines(keepends=True)
    if change == "edit":
        lines[0] = lines[0].replace('"at":"2', '"at":"1')
    elif change == "cut":
        del lines[1]
    else:
        lines[0], lines[1] = lines[1], lines[0]
    trail.write_text("".join(lines))
    done = CliRunner().invoke(app, ["check-audit", str(trail), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["broken_at"] == line
    told = CliRunner().invoke(app, ["check-audit", str(trail)])
    assert told.stdout.startswith(f"line {line} does not follow")


def test_what_is_no_trail(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError):
            run("check-audit", str(path))

"""Consent, retention, holds, access and the change of a key at the shell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sameface.gallery import NewPerson, new_key, open_store
from sameface.types import EmbeddingSpace, Template
from tests.cli.conftest import Run

SPACE = EmbeddingSpace("test-encoder", "test-detector", "test-alignment")
FACES = np.eye(4, dtype=np.float32)


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=4) as store:
        store.add("Ada", [Template(FACES[0], "ada.jpg")], groups=["guests"])
        store.add_many([NewPerson("Bob", [Template(FACES[1])], created="2026-01-01T00:00:00+00:00")])
    return path


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_consent_and_an_end(run: Run, gallery: Path) -> None:
    noted = run("people", "consent", "Ada", "--for", "the door", "--until", in_days(30), "--evidence", "f 12", "--json")
    assert noted.json["consent"]["purpose"] == "the door"
    assert noted.json["expires"][:10] == in_days(31)
    assert run("people", "keep", "Ada", "10d", "--json").json["expires"][:10] == in_days(10)
    assert run("people", "keep", "Ada", "never", "--json").json["expires"][:10] == in_days(31)
    for wrong in ("2020-01-01", "soon", "-1d"):
        assert run("people", "keep", "Ada", "--", wrong).code == 2
    shown = run("people").out
    assert "ends" in shown
    assert in_days(31) in shown


def test_holds(run: Run, gallery: Path) -> None:
    assert "held: case 7" in run("people", "hold", "Ada", "--reason", "case 7").out
    for words in (("forget", "Bob", "Ada"), ("gallery", "erase", "--yes")):
        assert run(*words).code == 7
    assert "case 7" in run("people").out
    assert len(run("people", "--json").json["people"]) == 2
    assert run("people", "lift", "Ada").code == 0
    assert run("people", "lift", "Ada").code == 2
    assert run("gallery", "erase", "--yes").code == 0


def test_retention_and_expiry(run: Run, gallery: Path) -> None:
    assert run("gallery", "retention", "--json").json == {}
    assert run("gallery", "retention", "--days", "20000", "--json").json == {"": {"days": 20000, "until": ""}}
    rules = run("gallery", "retention", "--until", "2099-12-31", "--group", "guests", "--json").json
    assert rules["guests"]["until"] == "2100-01-01T00:00:00+00:00"
    assert run("gallery", "expire", "--dry-run", "--within", "36000", "--json").json["total"] == 2
    assert run("gallery", "expire", "--within", "3").code == 2
    run("gallery", "retention", "--days", "1")
    assert [person["name"] for person in run("people", "--json").json["people"]] == ["Ada"]
    assert len(run("gallery", "expire", "--json").json["people"]) == 1
    assert "forgot 0 people" in run("gallery", "expire").out
    assert run("gallery", "retention", "--none", "--days", "3").code == 2
    assert list(run("gallery", "retention", "--none", "--json").json) == ["guests"]
    assert "expire" in run("gallery", "audit").out


def test_access(run: Run, gallery: Path, tmp_path: Path) -> None:
    kept = json.loads(run("people", "access", "Ada").out)
    assert kept["photos"][0]["source"] == "ada.jpg"
    assert kept["photos"][0]["embedding"] is None
    out = tmp_path / "ada.json"
    assert run("people", "access", "Ada", "--out", str(out), "--embeddings").code == 0
    assert json.loads(out.read_text())["photos"][0]["embedding"] == [1.0, 0.0, 0.0, 0.0]
    assert out.stat().st_mode & 0o077 == 0
    assert run("people", "access", "Ada", "--out", str(out)).code == 12  # not over what is there
    assert run("people", "access", "Nobody").code == 7


def test_the_key_changes(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old key", tmp_path / "new key"
    for file in (old, new):
        file.write_text(new_key())
    monkeypatch.setenv("SAMEFACE_GALLERY_KEY", f"@{old}")
    with open_store(tmp_path / "people.db", space=SPACE, dimension=4) as store:
        store.add("Ada", [Template(FACES[0], "ada.jpg")])
    assert run("gallery", "rotate-key").code == 2
    assert run("gallery", "rotate-key", "--to", f"@{new}", "--finish").code == 2
    done = run("gallery", "rotate-key", "--to", f"@{new}", "--seal-names")
    assert (done.code, "1 person, 1 template" in done.out) == (0, True)
    assert b"ada.jpg" not in (tmp_path / "people.db").read_bytes()
    assert run("people", "--json").json["total"] == 1
    monkeypatch.setenv("SAMEFACE_GALLERY_KEY", f"@{new}")
    assert "1 old key opens it no more" in run("gallery", "rotate-key", "--finish").out
    monkeypatch.setenv("SAMEFACE_GALLERY_KEY", f"@{old}")
    lost = run("people")
    assert lost.code == 6
    assert "rotate-key" in lost.err

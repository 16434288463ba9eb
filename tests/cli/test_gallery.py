"""`sameface gallery`, from the first person to the copy on another disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sameface.cli.gallery import gallery_app
from sameface.errors import GalleryMissingError, SettingError
from sameface.gallery import open_store
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        for number, vector in enumerate(vectors(5)):
            store.add(f"p{number}", [template(vector)], groups=["staff"])
    return path


def run(*arguments: object) -> str:
    done = CliRunner().invoke(gallery_app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_check_names_damage_and_exits_with_one(gallery: Path) -> None:
    assert json.loads(run("check", "--json", "-g", gallery)) == {"people": 5, "templates": 5, "problems": []}
    raw = bytearray(gallery.read_bytes())
    raw[raw.index(vectors(5)[3].tobytes())] ^= 1
    gallery.write_bytes(raw)
    done = CliRunner().invoke(gallery_app, ["check", "-g", str(gallery)])
    assert done.exit_code == 1
    assert "template 4 of 'p3'" in done.stdout


def test_copy_export_and_import(gallery: Path, tmp_path: Path) -> None:
    assert "copied 5 people, 5 templates" in run("copy", gallery, tmp_path / "b.db")
    assert "5 templates" in run("export", tmp_path / "x.npz", "-g", gallery)
    assert "added 5 people" in run("import", tmp_path / "x.npz", "-g", tmp_path / "c.db")
    for name in ("b.db", "c.db"):
        with open_store(tmp_path / name) as copy, open_store(gallery) as original:
            assert copy.people() == original.people()


def test_the_rest(gallery: Path) -> None:
    stats = json.loads(run("stats", "--json", "-g", gallery))
    assert (stats["people"], stats["groups"]) == (5, {"staff": 5})
    assert "made again" in run("reindex", "-g", gallery)
    assert "saved" in run("compact", "-g", gallery)
    assert [entry["action"] for entry in json.loads(run("audit", "--json", "-g", gallery))] == ["add"] * 5
    assert len(bytes.fromhex(run("key").strip())) == 32
    with pytest.raises(SettingError):
        run("reindex", "--hnsw", "-g", gallery)
    with pytest.raises(GalleryMissingError):
        run("stats", "-g", gallery.with_name("nothing.db"))

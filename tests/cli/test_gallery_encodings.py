"""`sameface gallery import-encodings`: what face_recognition computed, at the shell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run

ADA = np.random.default_rng(5).normal(0, 0.1, (2, 128))


@pytest.fixture
def encodings(tmp_path: Path) -> Path:
    (tmp_path / "encodings.json").write_text(json.dumps({"Ada": ADA.tolist()}), encoding="utf-8")
    return tmp_path / "encodings.json"


def test_in_and_in_again(run: Run, encodings: Path) -> None:
    done = run("gallery", "import-encodings", encodings)
    assert (done.code, done.out) == (0, "added 2 encodings of 1 person\n")
    assert "sameface identify PHOTO --gallery people.db --threshold 0.6" in done.err
    done = run("gallery", "import-encodings", encodings, "--gallery", "people.db")
    assert (done.code, done.out) == (0, "added 0 encodings of 1 person; 2 known already\n")
    assert run("gallery", "import-encodings", encodings, "--json").json == {"people": 1, "templates": 0, "known": 2}
    assert run("gallery", "stats", "--json").json["templates"] == 2


def test_names_beside_rows(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", ADA)
    (tmp_path / "names.txt").write_text("Zoë\nEve\n", encoding="utf-8")
    done = run("gallery", "import-encodings", "rows.npy", "--names", "names.txt")
    assert done.out == "added 2 encodings of 2 people\n"
    assert [person["name"] for person in run("people", "--json").json["people"]] == ["Zoë", "Eve"]
    (tmp_path / "names.txt").write_bytes(b"\xff\xfe\n")
    for names in ("names.txt", "nowhere.txt"):
        assert run("gallery", "import-encodings", "rows.npy", "--names", names).code == 8


def test_what_is_refused_leaves_no_gallery(run: Run, encodings: Path) -> None:
    encodings.write_text(json.dumps({"Ada": [1, 2]}), encoding="utf-8")
    assert run("gallery", "import-encodings", encodings, "-g", "new.db").code == 8
    assert run("gallery", "import-encodings", "nowhere.json", "-g", "new.db").code == 8
    assert not Path("new.db").exists()
    assert "--gallery once" in run("gallery", "import-encodings", encodings, "-g", "a.db", "-g", "b.db").err


def test_only_into_a_gallery_of_the_same_space(run: Run, photos: Path, encodings: Path) -> None:
    assert run("enroll", "Obama", photos / "obama.jpg").code == 0
    done = run("gallery", "import-encodings", encodings)
    assert done.code == 6
    assert "dlib-resnet" in done.err
    assert run("gallery", "stats", "--json").json["templates"] == 1

"""`sameface liveness`: scores of real samples, and a threshold that is chosen and evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from sameface.cli.app import app
from sameface.errors import NotEnoughDataError, SettingError
from tests.conftest import needed


@pytest.fixture
def folder(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The three real samples: one living face, two that were presented."""
    samples = needed(data / "photos" / "spoof", "samples of presentation attacks")
    monkeypatch.setenv("SAMEFACE_MODELS", str(data / "models"))
    for kind, names in (("real", ["image_T1.jpg"]), ("print", ["image_F1.jpg", "image_F2.jpg"])):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for name in names:
            (tmp_path / "set" / kind / name).write_bytes((samples / name).read_bytes())
    return tmp_path / "set"


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_living_face_scores_higher_than_those_presented(folder):
    done = run("liveness", "check", *sorted(folder.rglob("*.jpg")), "--json")
    scores = {Path(item["photo"]).stem: item["faces"][0]["score"] for item in json.loads(done.stdout)}
    assert scores["image_T1"] > 0.9
    assert max(scores["image_F1"], scores["image_F2"]) < 0.4


@pytest.mark.parametrize("words", [("evaluate", "liveness"), ("liveness", "evaluate")])
def test_rates_by_kind(folder, words):
    report = json.loads(run(*words, folder, "--threshold", "0.5", "--json").stdout)
    assert (report["bpcer"]["rate"], report["bpcer"]["faces"]) == (0, 1)
    assert [(item["kind"], item["rate"], item["faces"]) for item in report["apcer"]] == [("print", 0, 2)]
    assert report["apcer"][0]["interval"]["high"] > 0.7, "two attacks say little"
    assert "BPCER" in run(*words, folder).stdout


def test_a_threshold_is_chosen_and_read_again(folder, tmp_path):
    chosen = tmp_path / "liveness.json"
    few = run("calibrate", "liveness", folder, "--out", chosen)
    assert isinstance(few.exception, NotEnoughDataError)
    for copy in range(3):
        (folder / "real" / f"again{copy}.jpg").write_bytes((folder / "real" / "image_T1.jpg").read_bytes())
    assert run("liveness", "calibrate", folder, "--bpcer", "0.5", "--out", chosen).exit_code == 0
    report = json.loads(run("liveness", "evaluate", folder, "--threshold-file", chosen, "--json").stdout)
    assert report["threshold"] == json.loads(chosen.read_text())["threshold"] > 0.9
    both = run("liveness", "evaluate", folder, "--threshold-file", chosen, "--threshold", "0.5")
    assert isinstance(both.exception, SettingError)


def test_a_film_of_somebody_is_nobody(tmp_path, photos):
    film = tmp_path / "film.avi"
    frame = cv2.resize(cv2.imread(str(photos / "obama.jpg")), (364, 455))
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 7, (364, 455))
    for _ in range(14):
        writer.write(frame)
    writer.release()
    done = run("liveness", "session", film, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["passed"] is False
    assert "Stay as you are." in done.stderr

"""The main job at the shell, on the shipped photos."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from sameface.cli.doctor import OPTIONAL, PARTS, TESTED_PYTHONS
from tests.cli.conftest import Run
from tests.conftest import ROOT


def test_verify_two_photos(run: Run, photos: Path) -> None:
    same = run("verify", photos / "obama.jpg", photos / "obama2.jpg", "--json")
    assert same.code == 0
    assert same.json["same"] is True
    assert same.json["distance"] < same.json["threshold"] - 0.05  # a margin, not a knife edge
    other = run("verify", photos / "obama.jpg", photos / "biden.jpg", "--json")
    assert other.code == 1
    assert other.json["distance"] > other.json["threshold"] + 0.05


def test_verify_says_what_decided(run: Run, photos: Path) -> None:
    done = run("verify", photos / "obama.jpg", photos / "obama2.jpg")
    assert "same person" in done.out
    assert "τ from" in done.out
    assert "yunet" in done.out


def test_threshold_zero_is_legal_and_accepts_nobody(run: Run, photos: Path) -> None:
    assert run("verify", photos / "obama.jpg", photos / "obama.jpg", "--threshold", "0").code == 1


def test_from_one_photo_to_a_name_and_back(run: Run, photos: Path, tmp_path: Path) -> None:
    assert run("enroll", "Obama", photos / "obama.jpg").code == 0
    assert run("enroll", "Grace Hopper", photos / "grace_hopper.jpg", "--group", "navy").code == 0
    listed = run("people", "--json").json["people"]
    assert [person["name"] for person in listed] == ["Obama", "Grace Hopper"]

    found = run("identify", photos / "obama3.jpg", "--json")
    assert found.code == 0
    assert [face["name"] for face in found.json[0]["faces"]] == ["Obama"]
    nobody = run("identify", photos / "biden.jpg", "--json")
    assert nobody.code == 1
    assert [face["name"] for face in nobody.json[0]["faces"]] == [None]

    assert run("verify", "--as", "Obama", photos / "obama2.jpg").code == 0
    assert run("verify", "--as", "Grace Hopper", photos / "obama2.jpg").code == 1

    picture = tmp_path / "named.png"
    assert run("identify", photos / "obama2.jpg", "--annotate", picture).code == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"

    assert run("people", "rename", "Obama", "Barack Obama").code == 0
    erased = run("forget", "Barack Obama", "--json")
    assert erased.code == 0
    assert erased.json["Barack Obama"]["templates"] == 1
    assert run("identify", photos / "obama3.jpg").code == 1


def test_a_folder_per_person(run: Run, photos: Path, tmp_path: Path) -> None:
    for person, files in {"Obama": ["obama.jpg", "obama2.jpg"], "Collins": ["astronaut.png"], "Empty": []}.items():
        folder = tmp_path / "tree" / person
        folder.mkdir(parents=True)
        for name in files:
            (folder / name).symlink_to(photos / name)
    (tmp_path / "tree" / "Collins" / "notes.txt").write_text("not a photo")
    done = run("enroll", tmp_path / "tree", "--json")
    assert done.code == 0
    reasons = {Path(r["photo"]).name: r["reason"] for person in done.json for r in person["reports"]}
    assert reasons == {
        "astronaut.png": "accepted",
        "obama.jpg": "accepted",
        "obama2.jpg": "accepted",
    }
    assert "notes.txt: not a photo by its name" in done.err
    assert {person["name"]: person["photos"] for person in run("people", "--json").json["people"]} == {
        "Collins": 1,
        "Obama": 2,
    }


def test_gallery_by_environment(run: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_GALLERY", str(tmp_path / "elsewhere.db"))
    done = run("enroll", "Obama", photos / "obama.jpg")
    assert "elsewhere.db" in done.err
    assert (tmp_path / "elsewhere.db").is_file()
    assert not (tmp_path / "people.db").exists()


def test_doctor(run: Run) -> None:
    done = run("doctor", "--json")
    assert done.code == 0, done.json
    assert done.json["ok"] is True


def test_doctor_takes_one_line_a_value(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("doctor").out.splitlines()
    subjects = {check["subject"] for check in run("doctor", "--json").json["checks"]}
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines[2:] if line.strip()]
    assert len(rows) - 1 == len(subjects)  # one is the rule under the heading


def test_doctor_and_the_metadata_name_the_same_pythons() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = tuple(
        line.rpartition(" ")[2]
        for line in project["classifiers"]
        if line.startswith("Programming Language :: Python :: 3")
    )
    assert said == TESTED_PYTHONS
    assert SpecifierSet(project["requires-python"]).contains(said[0])
    assert not SpecifierSet(project["requires-python"]).contains("3.10")


def test_doctor_looks_for_what_the_metadata_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {
            one.name for one in map(Requirement, requirements) if one.marker is None
        }  # a marker: not on every system

    assert set(PARTS) == names(project["dependencies"])
    assert set(OPTIONAL) == set(project["optional-dependencies"])
    for extra, requirements in project["optional-dependencies"].items():
        assert set(OPTIONAL[extra]) <= names(requirements), extra


def test_doctor_says_whether_anybody_is_called(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        return next(
            check["seen"] for check in run("doctor", "--json").json["checks"] if check["subject"] == "calls home"
        )

    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "1")
    assert said() == "none"
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert said() == "ONNX Runtime may: ORT_DISABLE_TELEMETRY=0"


def test_doctor_says_which_devices_start_and_what_keeps_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sameface.models.devices.built_devices", lambda: ("cpu", "cuda", "openvino"))
    problems = {"cpu": None, "cuda": "missing: libcudnn.so.9", "openvino": None}
    monkeypatch.setattr("sameface.models.devices.why_not", problems.get)
    checks = run("doctor", "--json").json["checks"]
    seen = {check["subject"]: check["seen"] for check in checks}
    assert seen["devices"] == "cpu, openvino"
    assert seen["device cuda"] == "does not start: missing: libcudnn.so.9"
    assert [check["subject"] for check in checks if check.get("idle")] == ["device cuda"]
    assert "--device openvino" in seen["GPU"]
    assert run("doctor").out.splitlines()[-1] == "device cuda: does not start: missing: libcudnn.so.9"


def test_doctor_says_that_a_gpu_is_idle(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sameface.cli.doctor.shutil.which", lambda name: f"/usr/bin/{name}")
    assert "not used" in next(
        check["seen"] for check in run("doctor", "--json").json["checks"] if check["subject"] == "GPU"
    )


@pytest.mark.parametrize(
    ("builds", "ok", "seen"),
    [
        ({"onnxruntime-gpu": "1.31.1"}, True, "1.31.1 (onnxruntime-gpu)"),
        ({"onnxruntime": "1.30.0", "onnxruntime-gpu": "1.31.1"}, False, "they write over each other"),
        ({}, False, "not installed"),
    ],
)
def test_doctor_knows_the_builds_of_onnx_runtime(
    run: Run, monkeypatch: pytest.MonkeyPatch, builds: dict[str, str], ok: bool, seen: str
) -> None:
    """Each writes the same module, so two of them are a half of each; which one is there does not matter."""
    real = importlib.metadata.version

    def version(name: str) -> str:
        if not name.startswith("onnxruntime"):
            return real(name)
        if name not in builds:
            raise importlib.metadata.PackageNotFoundError(name)
        return builds[name]

    monkeypatch.setattr("importlib.metadata.version", version)
    check = next(check for check in run("doctor", "--json").json["checks"] if check["subject"] == "onnxruntime")
    assert check["ok"] is ok
    assert seen in check["seen"]


def test_doctor_on_a_python_nobody_tried(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version_tuple", lambda: ("3", "19", "2"))
    done = run("doctor", "--json")
    assert done.code == 0
    assert "may run all the same" in next(
        check["seen"] for check in done.json["checks"] if check["subject"] == "Python"
    )


@pytest.mark.parametrize(
    "command",
    ["verify", "enroll", "identify", "forget", "people", "models", "doctor", "evaluate", "calibrate", "train"],
)
def test_help_of_every_command(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.code == 0
    assert "Usage" in done.out


def test_a_conversion_is_shown_whatever_command_needs_it(photos: Path, tmp_path: Path) -> None:
    """In a terminal, with an empty cache: a bar for every model that is converted, and none the second time."""
    shown = [_in_a_terminal(["doctor"], tmp_path / "cache") for _ in range(2)]
    for model in ("yunet", "sface-2021dec"):
        assert f"preparing {model}, once" in shown[0]
    assert "preparing" not in shown[1]


def _in_a_terminal(arguments: list[str], cache: Path) -> str:
    pty = pytest.importorskip("pty")
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sameface", *arguments],
        env={**os.environ, "SAMEFACE_CACHE": str(cache), "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.DEVNULL,
        stderr=writing,
    )
    os.close(writing)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal ends on Linux
        while part := os.read(reading, 65536):
            shown += part
    os.close(reading)
    assert process.wait() == 0
    return shown.decode()

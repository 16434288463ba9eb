"""`sameface models` as it is typed."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sameface.cli.models import app
from sameface.errors import DownloadError, ModelCardError, ModelInUseError, SettingError, UnknownModelError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "models"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_list_says_licences_and_what_is_here() -> None:
    listed = {item["id"]: item for item in json.loads(run("list", "--json").stdout)}
    assert listed["dlib-resnet"]["here"] == "by package"
    assert listed["sface-2021dec-float32"]["here"] == "missing"
    assert listed["scrfd-500m"]["commercial_use"] == "no"
    assert {item["kind"] for item in json.loads(run("list", "--kind", "detectors", "--json").stdout)} == {"detector"}
    assert "sface-2021dec-unit *" in run("list").stdout  # the default; rows are kept whole, so that grep finds an id


def test_show_is_the_card_and_where_it_lies() -> None:
    shown = run("show", "mtcnn").stdout
    assert 'commercial_use = "unclear"' in shown
    assert "# here: by package" in shown
    assert json.loads(run("show", "dlib-resnet", "--json").stdout)["alignment"] == "dlib5/dlib-chip-0.25/150"
    assert isinstance(run("show", "nix").exception, UnknownModelError)


def test_show_says_both_thresholds() -> None:
    """What verification decides by, and the most accurate τ of LFW View 1, which is another number."""
    shown = run("show", "dlib-resnet-mirror-unit").stdout
    assert "# τ on mtcnn: 0.3773 for FMR 0.001" in shown
    assert "# most accurate τ on mtcnn: 0.4210" in shown
    card = json.loads(run("show", "dlib-resnet-mirror-unit", "--json").stdout)
    assert [point["detector"].split("-")[0] for point in card["operating_points"]] == ["mtcnn", "yunet"]
    assert card["measured"][0]["threshold"] == 0.421


def test_verify_says_well_or_missing() -> None:
    assert run("verify", "dlib-resnet", "pixels").exit_code == 0
    assert run("verify", "yunet-2023mar").exit_code == 1


def test_pull_without_an_address() -> None:
    assert isinstance(run("pull", "scrfd-500m").exception, DownloadError)
    assert isinstance(run("pull", "nix").exception, UnknownModelError)
    assert run("pull", "dlib-resnet").exit_code == 0


OPTIONS = (
    *("--colour", "rgb", "--landmarks", "arcface5", "--template", "arcface-112", "--licence", "research"),
    *("--commercial-use", "no", "--licence-note", "research only"),
)


def test_add_then_list_then_remove(data: Path, folder: Path) -> None:
    network = str(data / "models" / "mobilefacenet_y1.onnx")
    added = json.loads(run("add", network, "--id", "mine", *OPTIONS, "--json").stdout)
    assert (added["dimension"], added["input_size_wh"], added["normalisation"]) == (128, [112, 112], "none")
    assert "mine" in {item["id"] for item in json.loads(run("list", "--json").stdout)}
    assert run("verify", "mine").exit_code == 0
    assert run("remove", "mine").exit_code == 0
    assert list(folder.iterdir()) == []


def test_add_names_the_option_that_is_missing(data: Path) -> None:
    network = str(data / "models" / "mobilefacenet_y1.onnx")
    result = run("add", network, "--id", "mine")
    assert isinstance(result.exception, SettingError)
    assert "--commercial-use" in str(result.exception)


def test_add_refuses_values_that_no_card_takes(data: Path) -> None:
    network = str(data / "models" / "mobilefacenet_y1.onnx")
    result = run("add", network, "--id", "mine", *OPTIONS, "--colour", "cmyk")
    assert isinstance(result.exception, ModelCardError)


def test_a_gallery_keeps_the_model_it_needs(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sameface.gallery import open_store
    from sameface.types import EmbeddingSpace

    network = str(data / "models" / "mobilefacenet_y1.onnx")
    assert run("add", network, "--id", "mine", *OPTIONS).exit_code == 0
    place = tmp_path / "known.db"
    open_store(place, space=EmbeddingSpace("mine", "yunet", "arcface5/arcface-112/112"), dimension=128).close()
    refused = run("remove", "mine", "--gallery", str(place))
    assert isinstance(refused.exception, ModelInUseError)
    assert "known.db" in str(refused.exception)
    monkeypatch.setenv("SAMEFACE_GALLERY", str(place))
    assert isinstance(run("remove", "mine").exception, ModelInUseError)
    assert run("remove", "mine", "--force").exit_code == 0


def test_quantize_keeps_a_copy_and_says_what_it_costs(
    data: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setattr("sameface.encoders.quantising.LEAST_CROPS", 8)  # measuring their ranges is what takes time
    folder.mkdir()
    shutil.copy(data / "models" / "mobilefacenet_y1.onnx", folder)
    photos = tmp_path / "photos"
    people = sorted(path for path in (data / "lfw" / "images").iterdir() if len(list(path.iterdir())) > 1)[:12]
    for person in people:
        (photos / person.name).mkdir(parents=True)
        for photo in sorted(person.iterdir())[:2]:
            shutil.copy(photo, photos / person.name)
    names = [(path.name, int(sorted(path.iterdir())[1].stem[-4:])) for path in people[:12]]
    mated = [f"{name}\t1\t{second}" for name, second in names]
    non_mated = [f"{a[0]}\t1\t{b[0]}\t1" for a, b in itertools.pairwise(names)]
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("\n".join([str(len(mated)), *mated, *non_mated]))
    result = run("quantize", "mobilefacenet-y1", str(photos), "--crops", "80", "--pairs", str(pairs), "--json")
    assert result.exception is None, result.exception
    report = json.loads(result.stdout)
    assert report["encoder"].startswith("mobilefacenet-y1-int8-")
    assert report["drift"]["crops"] == 2
    assert 0 < report["drift"]["mean"] <= report["drift"]["largest"] < 1.0
    assert report["accuracy"]["before"] > 0.8
    assert sum(report["accuracy"]["paired"][key] for key in ("both", "only_first", "only_second", "neither")) == 23
    assert run("verify", report["encoder"]).exit_code == 0

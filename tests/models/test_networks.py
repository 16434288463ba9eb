from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from sameface.encoders import load_encoder
from sameface.errors import ModelCardError
from sameface.faces import load_detector
from sameface.models import networks
from sameface.models.networks import network_file, read_ranges
from sameface.models.registry import load_card


def test_conversion_gives_the_same_bytes_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dlib-resnet", "dlib-resnet-mirror-unit-int8"):
        written = []
        for folder in ("first", "second"):
            monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / folder))
            card = load_card(name)
            there = set((tmp_path / folder).rglob("*.onnx"))
            written.append(network_file(card))
            assert set((tmp_path / folder).rglob("*.onnx")) - there == {written[-1]}
        assert written[0].name == written[1].name
        assert written[0].read_bytes() == written[1].read_bytes()


def test_the_8_bit_network_is_a_quarter_of_the_size_and_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    whole, eighth = network_file(load_card("dlib-resnet")), network_file(load_card("dlib-resnet-mirror-unit-int8"))
    assert whole != eighth
    assert eighth.stat().st_size < whole.stat().st_size / 3.5
    kinds = {node.op_type for node in onnx.load(eighth).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv", "Add"} <= kinds
    assert "Relu" not in kinds  # saturation does it


def test_other_ranges_are_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = load_card("dlib-resnet-mirror-unit-int8")
    before = networks._dlib_name(card, load_card("dlib-resnet"))
    shipped = (networks._RANGES / "dlib-resnet.json").read_text()
    (tmp_path / "dlib-resnet.json").write_text(shipped.replace('"stem": [0, ', '"stem": [0, 1'))
    monkeypatch.setattr(networks, "_RANGES", tmp_path)
    assert networks._dlib_name(card, load_card("dlib-resnet")) != before


def test_every_activation_has_a_range() -> None:
    ranges = read_ranges("dlib-resnet")
    assert len(ranges) == 1 + 3 * 14 + 4  # the stem, three in each block, the four short cuts
    assert all(low <= 0 < high for low, high in ranges.values())
    with pytest.raises(ModelCardError, match="models quantize"):
        read_ranges("pixels")


def test_a_card_without_weights_has_no_network() -> None:
    with pytest.raises(ModelCardError, match="one weights file"):
        network_file(load_card("pixels"))
    with pytest.raises(ModelCardError, match="one weights file"):
        network_file(dataclasses.replace(load_card("mtcnn"), kind="encoder", dimension=1, input_size_wh=(1, 1)))


def test_what_one_user_converted_another_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image: made by root while it is built, used by a user without rights."""
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    load_detector("mtcnn")
    load_encoder("dlib-resnet-mirror-unit")
    made = list(tmp_path.rglob("*"))
    assert len([path for path in made if path.is_file()]) > 5
    for path in made:
        wanted = 0o055 if path.is_dir() else 0o044
        assert path.stat().st_mode & wanted == wanted, path


def test_two_processes_may_convert_at_once(tmp_path: Path) -> None:
    code = (
        "from sameface.encoders import load_encoder; import numpy as np;"
        "print(load_encoder('dlib-resnet').encode(np.zeros((1, 9, 9, 3), np.uint8)).sum())"
    )
    environment = os.environ | {"SAMEFACE_CACHE": str(tmp_path)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = {process.communicate(timeout=120)[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    assert len(answers) == 1
    assert not [path for path in (tmp_path / "models").rglob("*") if path.suffix == ".part"]

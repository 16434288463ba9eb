from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from sameface.encoders import load_encoder
from sameface.encoders.adding import add_encoder
from sameface.errors import ModelCardError, ModelDamagedError, ModelMissingError, SettingError
from sameface.models.inspecting import inspect_network
from sameface.models.registry import load_card, locate

from .test_onnx_encoder import card, write_mean_network


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_an_added_network_is_an_encoder_by_name(tmp_path: Path, folder: Path) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    stored = add_encoder(network, card())
    network.unlink()
    assert load_card("mine") == stored
    assert len(stored.sha256) == 64
    assert load_encoder("mine").encode(np.full((1, 8, 8, 3), 7, np.uint8)).tolist() == [[7, 7, 7]]


def test_weights_beside_the_file_are_taken_inside(tmp_path: Path, folder: Path) -> None:
    network = write_mean_network(tmp_path / "n.onnx", scale=2.0)
    onnx.save(onnx.load(network), network, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").stat().st_size > 0
    add_encoder(network, card())
    (tmp_path / "weights.bin").unlink()
    assert load_encoder("mine").encode(np.full((1, 8, 8, 3), 7, np.uint8)).tolist() == [[14, 14, 14]]


def test_a_taken_id_is_refused(tmp_path: Path, folder: Path) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    add_encoder(network, card())
    for taken in ("mine", "pixels"):
        with pytest.raises(SettingError, match="taken"):
            add_encoder(network, dataclasses.replace(card(), id=taken))


def test_a_network_that_tells_nothing_apart_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelCardError, match="same twice"):
        add_encoder(write_mean_network(tmp_path / "n.onnx", scale=0.0), card())
    assert not folder.exists()


def test_what_a_file_says_about_itself(tmp_path: Path, data: Path) -> None:
    facts = inspect_network(write_mean_network(tmp_path / "n.onnx"))
    assert (facts.layout, facts.input_size_wh, facts.dimension) == ("nchw", (8, 8), 3)
    assert (facts.unit_length, facts.normalises) == (False, False)
    bytes_last = write_mean_network(tmp_path / "b.onnx", shape=(1, 6, 8, 3), kind=TensorProto.UINT8)
    assert (inspect_network(bytes_last).layout, inspect_network(bytes_last).input_size_wh) == ("nhwc", (8, 6))
    free = write_mean_network(tmp_path / "f.onnx", shape=("m", 3, "h", "w"))
    assert inspect_network(free).input_size_wh is None
    mobilefacenet = inspect_network(data / "models" / "mobilefacenet_y1.onnx")
    assert (mobilefacenet.input_size_wh, mobilefacenet.dimension) == ((112, 112), 128)
    assert mobilefacenet.normalises  # it begins with its own subtraction and scaling


def test_the_zoos_file_in_blocks_of_8_bits_is_taken_as_it_is(tmp_path: Path, folder: Path) -> None:
    """It declares 30 inputs: one, and 29 weights that are gone. By its name, and beside its card."""
    source = locate(load_card("sface-2021dec"))[0]
    facts = inspect_network(source)
    assert (facts.layout, facts.input_size_wh, facts.dimension, facts.normalises) == ("nchw", (112, 112), 128, True)
    stored = add_encoder(source, dataclasses.replace(load_card("sface-2021dec-unit"), id="mine", network=""))
    assert stored.sha256 == load_card("sface-2021dec").sha256  # kept as its publisher has it
    crops = np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3)).astype(np.uint8)
    expected = load_encoder("sface-2021dec-unit").encode(crops)
    np.testing.assert_array_equal(load_encoder("mine").encode(crops), expected)
    for kept in list(folder.iterdir()):
        kept.rename(tmp_path / kept.name)
    np.testing.assert_array_equal(load_encoder(tmp_path / "mine.onnx").encode(crops), expected)


def test_what_is_no_encoder_is_said(tmp_path: Path, data: Path) -> None:
    with pytest.raises(ModelCardError, match="shape"):
        inspect_network(write_mean_network(tmp_path / "n.onnx", shape=("m", 5, 8, 8)))
    with pytest.raises(ModelMissingError):
        inspect_network(tmp_path / "nix.onnx")
    (tmp_path / "x.onnx").write_bytes(b"no")
    with pytest.raises(ModelDamagedError):
        inspect_network(tmp_path / "x.onnx")
    for name in ("face_detection_yunet_2023mar.onnx", "scrfd_500m_kps.onnx"):
        with pytest.raises(ModelCardError, match="turn a face crop into a vector"):
            inspect_network(data / "models" / name)

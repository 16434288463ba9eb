from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.encoders import load_encoder
from sameface.encoders.adding import add_encoder
from sameface.encoders.quantising import LEAST_CROPS, quantise_encoder
from sameface.errors import ModelCardError, NotEnoughDataError
from sameface.models.registry import load_card
from sameface.types import CropsRGB

from .test_onnx_encoder import card


def test_the_shipped_8_bit_encoder_stays_near_its_original(crops: CropsRGB) -> None:
    whole = load_encoder("dlib-resnet-mirror-unit").encode(crops)
    eighth = load_encoder("dlib-resnet-mirror-unit-int8").encode(crops)
    moved = np.linalg.norm(whole - eighth, axis=1)
    assert moved.max() < 0.06  # people are about 0.4 apart at the threshold
    assert moved.min() > 0  # it is another network indeed


def test_sface_in_8_bits_stays_near_its_original(crops: CropsRGB) -> None:
    whole = load_encoder("sface-2021dec-unit").encode(crops)
    eighth = load_encoder("sface-2021dec-unit-int8").encode(crops)
    moved = np.linalg.norm(whole - eighth, axis=1)
    assert moved.max() < 0.25  # people are about 1.1 apart at the threshold
    assert moved.min() > 0


def write_random_network(path: Path) -> Path:
    """Two convolutions and a product with random weights: 64 numbers of a crop of 32 × 32. (A real network: tests/cli/test_models.py.)"""
    random = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        spread = 1 / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array(random.normal(0, spread, shape).astype(np.float32), name)

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "first"], ["a"], strides=[4, 4], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Conv", ["b", "second"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Flatten", ["c"], ["d"]),
            helper.make_node("Gemm", ["d", "third"], ["y"], transB=1),
        ],
        "random",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["m", 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["m", 64])],
        [weights("first", 32, 3, 3, 3), weights("second", 64, 32, 3, 3), weights("third", 64, 64 * 4 * 4)],
    )
    path.write_bytes(
        helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
    )
    return path


def test_a_quantised_copy_of_any_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = write_random_network(tmp_path / "n.onnx")
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    add_encoder(network, card(dimension=64, input_size_wh=(32, 32)))
    pictures = np.random.default_rng(1).integers(0, 256, (LEAST_CROPS, 32, 32, 3), dtype=np.uint8)
    made = quantise_encoder("mine", pictures)
    assert made.id.startswith("mine-int8-")
    assert made.id.endswith(made.sha256[:6])
    assert load_card(made.id) == made
    assert made.bytes < network.stat().st_size / 2.5
    whole, eighth = load_encoder("mine").encode(pictures), load_encoder(made.id).encode(pictures)
    moved, apart = (np.linalg.norm(whole - other, axis=1) for other in (eighth, np.roll(whole, 1, axis=0)))
    assert 0 < moved.max() < 0.1 * apart.min()
    with pytest.raises(ModelCardError, match="float32"):
        quantise_encoder(made.id, pictures)


def test_what_cannot_be_quantised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = np.zeros((LEAST_CROPS, 8, 8, 3), np.uint8)
    for name in ("pixels", "mtcnn", "dlib-resnet-mirror-unit-int8"):
        with pytest.raises(ModelCardError, match="float32 encoder"):
            quantise_encoder(name, some)
    with pytest.raises(NotEnoughDataError):
        quantise_encoder("dlib-resnet", some[:5])

"""Block-quantised weights against ONNX Runtime, which reads them by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.errors import ModelDamagedError
from sameface.faces.align import load_aligner
from sameface.faces.loading import load_detector
from sameface.models.graphs.folding import drop_unused, fold_blocks
from sameface.models.networks import network_file
from sameface.models.registry import load_card, locate
from sameface.models.runtime import Session
from tests.faces.conftest import read


def blocked_network(scales_per_row: int = 3) -> onnx.ModelProto:
    """An 11 → 4 layer in blocks of 4, as the OpenCV Zoo writes them: quantised flat, reshaped, and still declared as inputs."""
    random = np.random.default_rng(3)
    arrays = {
        "w_quantized": random.integers(-128, 128, (4, 11)).astype(np.int8),
        "w_scales": random.uniform(0.01, 0.1, (4, scales_per_row)).astype(np.float32),
        "w_zero_point": random.integers(-20, 20, (4, scales_per_row)).astype(np.int8),
        "w_shape": np.array([11, 4]),
    }
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", list(arrays)[:3], ["w_flat"], axis=1, block_size=4),
            helper.make_node("Reshape", ["w_flat", "w_shape"], ["w_reshaped"]),
            helper.make_node("MatMul", ["x", "w_reshaped"], ["y"]),
        ],
        "blocked",
        [make("x", TensorProto.FLOAT, [1, 11]), make("w", TensorProto.FLOAT, [11, 4])],
        [make("y", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)])


def test_folded_weights_are_what_the_runtime_makes_of_them() -> None:
    network = blocked_network()
    x = np.random.default_rng(4).normal(size=(1, 11)).astype(np.float32)
    expected = Session(network.SerializeToString()).run({"x": x, "w": np.zeros((11, 4), np.float32)})[0]
    assert fold_blocks(network) == 1
    drop_unused(network)
    assert [node.op_type for node in network.graph.node] == ["MatMul"]
    assert [item.name for item in network.graph.input] == ["x"]
    assert [item.name for item in network.graph.initializer] == ["w_reshaped"]
    np.testing.assert_allclose(Session(network.SerializeToString()).run({"x": x})[0], expected, atol=1e-6)


def test_scales_that_do_not_fit_are_said() -> None:
    with pytest.raises(ModelDamagedError, match=r"w_flat.*shape \(4, 2\)"):
        fold_blocks(blocked_network(scales_per_row=2))


def test_other_networks_are_left_alone() -> None:
    network = blocked_network()
    for node in network.graph.node:
        if node.op_type == "DequantizeLinear":
            del node.attribute[:]
    before = network.SerializeToString()
    assert fold_blocks(network) == 0
    assert network.SerializeToString() == before


def test_sface_folded_is_the_publishers_file(data: Path) -> None:
    """On a dozen real crops: ONNX Runtime on the file of the OpenCV Zoo, one crop a run, against the folded one, all in one run."""
    source = locate(load_card("sface-2021dec"))[0]
    detector, aligner = load_detector("yunet"), load_aligner("arcface5", "arcface-112", 112)
    paths = sorted((data / "lfw" / "images").glob("*/*_0001.jpg"))[::400][:12]
    crops = np.concatenate([aligner.align(image, detector.detect(image)[:1]) for image in map(read, paths)])
    assert len(crops) == 12
    planes = crops.transpose(0, 3, 1, 2).astype(np.float32)
    original, folded = Session(source), Session(network_file(load_card("sface-2021dec")))
    spare = {name: np.zeros(shape, np.float32) for name, shape in original.inputs.items() if name != "data"}
    expected = np.concatenate([original.run({"data": plane[None], **spare})[0] for plane in planes])
    found = folded.run({"data": planes})[0]
    unit = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (expected, found)]
    assert np.abs(unit[0] - unit[1]).max() <= 1e-5
    assert np.abs(expected - found).max() <= 1e-4

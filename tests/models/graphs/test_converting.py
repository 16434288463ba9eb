"""The form in which an encoder is run against the file it came from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.models.graphs import converting
from sameface.models.graphs.converting import write_converted
from sameface.models.registry import load_card, locate
from sameface.models.runtime import Session


def written(path: Path) -> set[str]:
    return {node.op_type for node in onnx.load(path).graph.node}


@pytest.mark.parametrize("name", ["sface-2021dec", "mobilefacenet-y1"])
def test_two_real_networks_without_prelu(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "mobilefacenet-y1":
        monkeypatch.setenv("SAMEFACE_MODELS", str(data / "models"))
    source = locate(load_card(name))[0]
    assert "PRelu" in written(source)
    write_converted(source, tmp_path / "n.onnx", (112, 112))
    assert "PRelu" not in written(tmp_path / "n.onnx")
    original, converted = Session(source), Session(tmp_path / "n.onnx")
    pictures = np.random.default_rng(8).integers(0, 256, (3, 3, 112, 112)).astype(np.float32)
    spare = {other: np.zeros(shape, np.float32) for other, shape in original.inputs.items() if other != "data"}
    apart = np.concatenate([original.run({"data": picture[None], **spare})[0] for picture in pictures])
    np.testing.assert_allclose(converted.run({"data": pictures})[0], apart, atol=1e-5 * np.abs(apart).max())


def fixed_network(path: Path) -> Path:
    """A network whose reshape holds for one picture only: to free its batch would mix pictures up."""
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["x", "shape"], ["flat"]),
            helper.make_node("ReduceMean", ["flat"], ["y"], axes=[2]),
        ],
        "fixed",
        [make("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [make("y", TensorProto.FLOAT, [1, 3, 1])],
        [numpy_helper.from_array(np.array([1, 3, -1]), "shape")],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())
    return path


def test_a_batch_that_cannot_be_freed_stays(tmp_path: Path) -> None:
    write_converted(fixed_network(tmp_path / "a.onnx"), tmp_path / "b.onnx", (4, 4))
    assert Session(tmp_path / "b.onnx").inputs == {"x": [1, 3, 4, 4]}


def test_a_form_that_changes_the_answers_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(model: onnx.ModelProto) -> int:
        for item in model.graph.initializer:
            if item.name.endswith("relu_gamma"):
                item.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(item) + np.float32(0.01), item.name))
        return 1

    monkeypatch.setattr(converting, "rewrite_prelus", spoil)
    source = locate(load_card("sface-2021dec"))[0]
    write_converted(source, tmp_path / "n.onnx", (112, 112))
    network = onnx.load(tmp_path / "n.onnx")
    kept = {item.name: numpy_helper.to_array(item) for item in network.graph.initializer}
    came = {item.name: numpy_helper.to_array(item) for item in onnx.load(source).graph.initializer}
    np.testing.assert_array_equal(kept["conv_1_relu_gamma"], came["conv_1_relu_gamma"])
    assert Session(tmp_path / "n.onnx").inputs == {"data": ["data_0", 3, 112, 112]}

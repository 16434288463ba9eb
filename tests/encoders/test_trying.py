"""Networks that never end, or ask for all memory: tried apart, they do no harm."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.encoders.adding import add_encoder
from sameface.encoders.trying import Bounds, inspect_apart, try_apart
from sameface.errors import ModelCardError, ModelDamagedError, ModelMissingError
from sameface.models.inspecting import inspect_network
from tests.encoders.test_onnx_encoder import card, write_mean_network


def write(path: Path, nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray]) -> Path:
    """A network of an 8×8 picture; the last node gives ``y``."""
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "hostile",
        [make("x", TensorProto.FLOAT, ["m", 3, 8, 8])],
        [make("y", TensorProto.FLOAT, ["m", 3])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())
    return path


def endless(path: Path) -> Path:
    """A loop of 2⁶² rounds around the mean over the picture."""
    make = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["before", "before"], ["after"])],
        "body",
        [
            make("round", TensorProto.INT64, []),
            make("go", TensorProto.BOOL, []),
            make("before", TensorProto.FLOAT, ["m", 3, 1, 1]),
        ],
        [make("on", TensorProto.BOOL, []), make("after", TensorProto.FLOAT, ["m", 3, 1, 1])],
    )
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Loop", ["rounds", "true", "pooled"], ["looped"], body=body),
        helper.make_node("Flatten", ["looped"], ["y"]),
    ]
    return write(path, nodes, {"rounds": np.array(2**62), "true": np.array(True)})


def greedy(path: Path) -> Path:
    """Ones for every number of 2³⁵ before the mean is taken: 128 GiB out of 400 bytes."""
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Add", ["flat", "sum"], ["y"]),
    ]
    return write(path, nodes, {"size": np.array([2**35])})


def test_a_network_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(temporary))  # of the process that is ended, too
    network = endless(tmp_path / "n.onnx")
    with pytest.raises(ModelDamagedError, match="more than 1 seconds"):
        inspect_apart(network, Bounds(seconds=1))
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("sameface.encoders.adding.try_apart", lambda network, card: try_apart(network, card, Bounds(1)))
    with pytest.raises(ModelDamagedError, match="more than 1 seconds"):
        add_encoder(network, card())
    assert not (tmp_path / "models").exists()
    assert list(temporary.iterdir()) == []


def test_a_network_that_asks_for_all_memory_gets_none(tmp_path: Path) -> None:
    with pytest.raises(ModelDamagedError):
        inspect_apart(greedy(tmp_path / "n.onnx"), Bounds(seconds=60))


def test_what_is_found_out_apart_is_what_is_found_out_here(tmp_path: Path) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    assert inspect_apart(network) == inspect_network(network)


def test_errors_come_back_as_themselves(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        inspect_apart(tmp_path / "nix.onnx")
    (tmp_path / "x.onnx").write_bytes(b"no")
    with pytest.raises(ModelDamagedError, match="cut short"):
        inspect_apart(tmp_path / "x.onnx")
    with pytest.raises(ModelCardError, match="same twice"):
        try_apart(write_mean_network(tmp_path / "n.onnx", scale=0.0), card())

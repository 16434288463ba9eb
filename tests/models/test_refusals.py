"""Networks that ONNX Runtime refuses, made by hand: the error says what was expected and what came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.errors import ModelDamagedError
from sameface.models.runtime import Session


def product(
    path: Path, *, operator: str = "Mul", domain: str = "", opset: int = 17, version: int = 9
) -> onnx.ModelProto:
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "factor"], ["y"], domain=domain)],
        "product",
        [make("x", TensorProto.FLOAT, ["m"])],
        [make("y", TensorProto.FLOAT, ["m"])],
        [numpy_helper.from_array(np.full(300, 2, np.float32), "factor")],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("my.own", 1)]
    model = helper.make_model(graph, ir_version=version, opset_imports=opsets)
    path.write_bytes(model.SerializeToString())
    return model


def refused(network: Path) -> ModelDamagedError:
    with pytest.raises(ModelDamagedError) as caught:
        Session(network)
    return caught.value


def test_an_opset_of_the_future(tmp_path: Path) -> None:
    product(tmp_path / "n.onnx", opset=999)
    error = refused(tmp_path / "n.onnx")
    assert (error.expected[:18], error.got) == ("a network of opset", "opset 999")
    assert "onnxruntime_src" not in str(error)


def test_a_format_of_the_future(tmp_path: Path) -> None:
    product(tmp_path / "n.onnx", version=999)
    assert refused(tmp_path / "n.onnx").got == "version 999"


def test_operators_that_nobody_has(tmp_path: Path) -> None:
    product(tmp_path / "n.onnx", operator="Wonder", domain="my.own")
    assert refused(tmp_path / "n.onnx").got == "my.own:Wonder"


def test_operators_used_wrongly(tmp_path: Path) -> None:
    product(tmp_path / "n.onnx", operator="Relu")
    error = refused(tmp_path / "n.onnx")
    assert "Relu" in error.got
    assert "ONNXRuntimeError" not in error.got


def test_external_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    model = product(tmp_path / "n.onnx")
    path = tmp_path / "n.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    assert "weights.bin" in refused(path).expected


def test_external_weights_that_are_cut_short(tmp_path: Path) -> None:
    model = product(tmp_path / "n.onnx")
    onnx.save(model, tmp_path / "n.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").write_bytes(b"short")
    refused(tmp_path / "n.onnx")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>Not found</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"no network", "cut short"),
    ],
)
def test_files_of_something_else(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "n.onnx").write_bytes(content)
    assert said in refused(tmp_path / "n.onnx").got


def test_a_network_cut_short(tmp_path: Path) -> None:
    product(tmp_path / "n.onnx")
    whole = (tmp_path / "n.onnx").read_bytes()
    (tmp_path / "n.onnx").write_bytes(whole[: len(whole) // 2])
    assert "cut short" in refused(tmp_path / "n.onnx").got

"""A small encoder as a publisher would give it: an ONNX file of a fixed batch with its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sameface.files import sha256_of
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.card_file import write_card


def write_small_encoder(folder: Path, *, normalisation: str = "(x-127.5)/127.5", colour: Any = "rgb") -> Path:
    """Three layers over 12 × 12 pixels, ``small.onnx`` and ``small.toml``."""
    random = np.random.default_rng(3)

    def stored(name: str, *shape: int, scale: float) -> Any:
        return numpy_helper.from_array(random.normal(0, scale, shape).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["pixels", "one.weight"], ["one"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("BatchNormalization", ["one", "scale", "shift", "mean", "variance"], ["norm"]),
        helper.make_node("PRelu", ["norm", "slope"], ["active"]),
        helper.make_node("Conv", ["active", "two.weight", "two.bias"], ["two"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["two"], ["bent"]),
        helper.make_node("Flatten", ["bent"], ["flat"]),
        helper.make_node("Gemm", ["flat", "last.weight", "last.bias"], ["vector"], transB=1),
    ]
    constant = {
        "scale": np.ones(8),
        "shift": np.zeros(8),
        "mean": np.full(8, 0.1),
        "variance": np.full(8, 0.5),
        "slope": np.full((8, 1, 1), 0.25),
    }
    weights = [
        stored("one.weight", 8, 3, 3, 3, scale=0.25),
        *(numpy_helper.from_array(value.astype(np.float32), name) for name, value in constant.items()),
        stored("two.weight", 8, 8, 3, 3, scale=0.15),
        stored("two.bias", 8, scale=0.1),
        stored("last.weight", 8, 288, scale=0.08),
        stored("last.bias", 8, scale=0.02),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, 12, 12])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 8])],
        weights,
    )
    path = folder / "small.onnx"
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    card = ModelCard(
        id="small",
        kind="encoder",
        title="A small encoder",
        licence="CC0-1.0",
        commercial_use="yes",
        source="these tests",
        training_data="nothing",
        files=(WeightsFile(path.name, sha256_of(path), path.stat().st_size),),
        input_size_wh=(12, 12),
        colour=colour,
        normalisation=normalisation,
        mean=(120.0, 130.0, 110.0) if normalisation == "mean-std" else (),
        std=(60.0, 50.0, 70.0) if normalisation == "mean-std" else (),
        dimension=8,
        unit_length=True,
    )
    path.with_suffix(".toml").write_text(write_card(card), encoding="utf-8")
    return path

"""Each operator beside ONNX Runtime, which is another implementation of the same words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from sameface.errors import TrainingError
from sameface.models.runtime import Session
from sameface.training.from_onnx import OnnxNetwork
from sameface.training.from_onnx.operators import OPERATORS

PICTURES = np.random.default_rng(0).normal(0, 2, (2, 4, 9, 7)).astype(np.float32)
VECTORS = np.random.default_rng(1).normal(0, 2, (3, 6)).astype(np.float32)


def floats(*shape: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


#: (operator, attributes, x, further inputs, opset)
CASES: list[tuple[str, dict[str, Any], np.ndarray, list[np.ndarray | None], int]] = [
    ("Abs", {}, PICTURES, [], 17),
    ("Add", {}, PICTURES, [floats(4, 1, 1)], 17),
    ("AveragePool", {"kernel_shape": [3, 2], "strides": [2, 2]}, PICTURES, [], 17),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, PICTURES, [], 17),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [0, 0, 2, 2], "strides": [2, 2]}, PICTURES, [], 17),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [0, 1, 2, 1], "count_include_pad": 1}, PICTURES, [], 17),
    ("Cast", {"to": TensorProto.FLOAT}, PICTURES.astype(np.uint8), [], 17),
    ("Clip", {}, PICTURES, [number(-1), number(1)], 17),
    ("Clip", {}, PICTURES, [None, number(1)], 17),
    ("Clip", {"min": 0.0, "max": 6.0}, PICTURES, [], 6),
    ("Concat", {"axis": 1}, PICTURES, [floats(2, 3, 9, 7)], 17),
    ("Conv", {"pads": [1, 1, 1, 1], "strides": [2, 2]}, PICTURES, [floats(5, 4, 3, 3), floats(5)], 17),
    ("Conv", {"group": 4, "kernel_shape": [3, 3]}, PICTURES, [floats(4, 1, 3, 3)], 17),
    ("Conv", {"dilations": [2, 2]}, PICTURES, [floats(5, 4, 3, 3)], 17),
    ("Conv", {"pads": [0, 1, 2, 0]}, PICTURES, [floats(5, 4, 3, 3)], 17),
    ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, PICTURES, [floats(5, 4, 2, 2)], 17),
    ("Conv", {"auto_pad": "SAME_LOWER", "strides": [2, 2]}, PICTURES, [floats(5, 4, 4, 2)], 17),
    ("Conv", {"auto_pad": "VALID"}, PICTURES, [floats(5, 4, 3, 3)], 17),
    ("Div", {}, PICTURES, [number(3)], 17),
    ("Div", {}, np.array([7, -7, 9], np.int64), [whole(2, 2, -4)], 17),
    ("Dropout", {}, PICTURES, [], 17),
    ("Elu", {"alpha": 0.5}, PICTURES, [], 17),
    ("Exp", {}, PICTURES, [], 17),
    ("Expand", {}, floats(2, 1, 3), [whole(2, 5, 1)], 17),
    ("Flatten", {}, PICTURES, [], 17),
    ("Flatten", {"axis": -1}, PICTURES, [], 17),
    ("Gather", {"axis": 1}, PICTURES, [whole(2, -1)], 17),
    ("Gather", {}, PICTURES, [np.array(1, np.int64)], 17),
    ("Gemm", {"transB": 1}, VECTORS, [floats(5, 6), floats(5)], 17),
    ("Gemm", {"alpha": 0.5, "beta": 2.0}, VECTORS, [floats(6, 5), floats(5)], 17),
    ("Gemm", {"transA": 1}, VECTORS, [floats(3, 5)], 17),
    ("GlobalAveragePool", {}, PICTURES, [], 17),
    ("GlobalMaxPool", {}, PICTURES, [], 17),
    ("HardSigmoid", {"alpha": 0.3}, PICTURES, [], 17),
    ("HardSwish", {}, PICTURES, [], 17),
    ("Identity", {}, PICTURES, [], 17),
    ("LRN", {"size": 5, "alpha": 0.3, "beta": 0.7, "bias": 2.0}, floats(2, 12, 5, 5), [], 17),
    ("LeakyRelu", {"alpha": 0.2}, PICTURES, [], 17),
    ("MatMul", {}, VECTORS, [floats(6, 5)], 17),
    ("Max", {}, PICTURES, [floats(4, 1, 1), floats(1)], 17),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2]}, PICTURES, [], 17),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, PICTURES, [], 17),
    ("MaxPool", {"kernel_shape": [3, 3], "pads": [1, 0, 1, 2]}, -np.abs(PICTURES), [], 17),
    ("Min", {}, PICTURES, [floats(4, 1, 1)], 17),
    ("Mul", {}, PICTURES, [floats(1, 4, 1, 1)], 17),
    ("Neg", {}, PICTURES, [], 17),
    ("PRelu", {}, PICTURES, [floats(4, 1, 1)], 17),
    ("PRelu", {}, PICTURES, [floats(1, 7)], 17),
    ("PRelu", {}, VECTORS, [floats(6)], 17),
    ("Pad", {}, PICTURES, [whole(0, 1, 0, 2, 0, 0, 3, 0), number(1.5)], 17),
    ("Pad", {"mode": "reflect"}, PICTURES, [whole(0, 0, 1, 2, 0, 0, 3, 0)], 17),
    ("Pad", {"mode": "edge"}, PICTURES, [whole(0, 0, 0, 2, 0, 0, 0, 1)], 17),
    ("Pad", {}, PICTURES, [whole(1, 2), None, whole(-1)], 18),
    ("Pow", {}, np.abs(PICTURES), [number(1.5)], 17),
    ("Reciprocal", {}, PICTURES, [], 17),
    ("ReduceL2", {"axes": [1], "keepdims": 1}, PICTURES, [], 17),
    ("ReduceL2", {"keepdims": 0}, PICTURES, [whole(-1)], 18),
    ("ReduceMax", {"axes": [2, 3]}, PICTURES, [], 17),
    ("ReduceMean", {}, PICTURES, [], 17),
    ("ReduceMean", {"keepdims": 0}, PICTURES, [whole(2, 3)], 18),
    ("ReduceSum", {"noop_with_empty_axes": 1}, PICTURES, [], 17),
    ("ReduceSum", {}, PICTURES, [whole(1)], 17),
    ("ReduceSumSquare", {"axes": [1]}, PICTURES, [], 17),
    ("Relu", {}, PICTURES, [], 17),
    ("Reshape", {}, PICTURES, [whole(0, -1, 3)], 17),
    ("Shape", {}, PICTURES, [], 17),
    ("Shape", {"start": 1, "end": -1}, PICTURES, [], 17),
    ("Sigmoid", {}, PICTURES, [], 17),
    ("Slice", {}, PICTURES, [whole(-1), whole(-(2**31)), whole(3), whole(-1)], 17),
    ("Slice", {}, PICTURES, [whole(1, -3), whole(2**31 - 1, -1), whole(2, 1)], 17),
    ("Slice", {}, PICTURES, [whole(1), whole(8), whole(2), whole(3)], 17),
    ("Slice", {"starts": [1], "ends": [3], "axes": [1]}, PICTURES, [], 9),
    ("Softmax", {"axis": 1}, PICTURES, [], 17),
    ("Sqrt", {}, np.abs(PICTURES), [], 17),
    ("Squeeze", {}, floats(2, 1, 3, 1), [whole(-1)], 17),
    ("Squeeze", {"axes": [1]}, floats(2, 1, 3, 1), [], 11),
    ("Sub", {}, PICTURES, [number(127.5)], 17),
    ("Sum", {}, PICTURES, [floats(4, 1, 1), floats(2, 4, 9, 7)], 17),
    ("Tanh", {}, PICTURES, [], 17),
    ("Transpose", {"perm": [0, 3, 1, 2]}, PICTURES, [], 17),
    ("Transpose", {}, PICTURES, [], 17),
    ("Unsqueeze", {}, VECTORS, [whole(0, -1)], 17),
    ("Unsqueeze", {"axes": [2]}, VECTORS, [], 11),
]


def model_of(kind: str, attributes: dict[str, Any], x: np.ndarray, others: list[np.ndarray | None], opset: int) -> Any:
    """A graph of one node, whose further inputs are stored in it."""
    names = [f"i{place}" if other is not None else "" for place, other in enumerate(others)]
    node = helper.make_node(kind, ["x", *names], ["y"], **attributes)
    kind_of = helper.np_dtype_to_tensor_dtype
    gives = {"Shape": TensorProto.INT64, "Cast": TensorProto.FLOAT}.get(kind, kind_of(x.dtype))
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", kind_of(x.dtype), x.shape)],
        [helper.make_tensor_value_info("y", gives, None)],
        [numpy_helper.from_array(other, name) for name, other in zip(names, others, strict=True) if other is not None],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.mark.parametrize(("kind", "attributes", "x", "others", "opset"), CASES, ids=[case[0] for case in CASES])
def test_an_operator_gives_what_onnx_runtime_gives(
    kind: str, attributes: dict[str, Any], x: np.ndarray, others: list[np.ndarray | None], opset: int
) -> None:
    model = model_of(kind, attributes, x, others, opset)
    (expected,) = Session(model.SerializeToString()).run({"x": x})
    with torch.no_grad():
        got = OnnxNetwork(model)(torch.from_numpy(x)).numpy()
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_every_operator_is_tried() -> None:
    assert {case[0] for case in CASES} == set(OPERATORS)


def test_an_operator_that_is_not_known_is_named() -> None:
    with pytest.raises(TrainingError, match="Erf"):
        OnnxNetwork(model_of("Erf", {}, VECTORS, [], 17))


def test_a_network_in_8_bits_is_refused_with_what_to_do() -> None:
    model = model_of("QuantizeLinear", {}, VECTORS, [number(0.1), np.array(0, np.uint8)], 17)
    with pytest.raises(TrainingError, match="in float32"):
        OnnxNetwork(model)

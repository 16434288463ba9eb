"""PReLU rewritten against NumPy's own of its definition, and against ONNX Runtime's operator."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.models.graphs.prelu import rewrite_prelus
from sameface.models.runtime import Session


def network(slopes: np.ndarray) -> onnx.ModelProto:
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("PRelu", ["x", "slopes"], ["y"])],
        "prelu",
        [make("x", TensorProto.FLOAT, ["m", 4, "h", "w"])],
        [make("y", TensorProto.FLOAT, ["m", 4, "h", "w"])],
        [numpy_helper.from_array(slopes.astype(np.float32), "slopes")],
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


@pytest.mark.parametrize(
    ("slopes", "kinds"),
    [
        ([0.25, 0.0, 1.0, -0.5], {"Conv", "Relu", "Add"}),
        ([0.25, 1.5, -3.0, 0.0], {"Conv", "Relu", "Add"}),
        ([0.2, 0.2, 0.2, 0.2], {"LeakyRelu"}),
    ],
    ids=["at most 1", "above 1", "all equal"],
)
def test_the_same_function(slopes: list[float], kinds: set[str]) -> None:
    model = network(np.array(slopes).reshape(4, 1, 1))
    assert rewrite_prelus(model) == 1
    assert {node.op_type for node in model.graph.node} == kinds
    onnx.checker.check_model(model)
    x = np.random.default_rng(5).normal(size=(2, 4, 5, 3)).astype(np.float32)
    by_definition = np.where(x > 0, x, np.array(slopes, np.float32).reshape(4, 1, 1) * x)
    np.testing.assert_allclose(Session(model.SerializeToString()).run({"x": x})[0], by_definition, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 5, 3), (1,), (1, 1, 1, 3)])
def test_slopes_that_are_not_one_a_channel_stay(shape: tuple[int, ...]) -> None:
    model = network(np.linspace(0, 0.9, int(np.prod(shape))).reshape(shape))
    before = model.SerializeToString()
    assert rewrite_prelus(model) == 0
    assert model.SerializeToString() == before

"""PReLU as operators that ONNX Runtime has in the memory layout of convolutions.

It has no PReLU there: before each it turns the values into another layout, and back behind it, which costs more than the convolutions of
a MobileNet. A depthwise convolution of 1 × 1, a ReLU and an addition stay in the layout, and the last two are joined with a convolution:

- ``prelu(x) = s x + relu((1 − s) x)`` where no slope s is above 1;
- ``prelu(x) = s x + (1 − s) relu(x)`` otherwise;
- a leaky ReLU where all slopes are equal.

All are exactly the same function. Source: He et al. 2015, "Delving deep into rectifiers", equation 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def rewrite_prelus(model: Any) -> int:
    """Rewrite each PReLU that has one constant float32 slope for each channel, in place.

    Args:
        model: an ``onnx.ModelProto``.

    Returns:
        How many were rewritten.
    """
    from onnx import TensorProto, numpy_helper

    stored = {item.name: item for item in model.graph.initializer if item.data_type == TensorProto.FLOAT}
    nodes: list[Any] = []
    weights: list[Any] = []
    rewritten = 0
    for node in model.graph.node:
        slope = stored.get(node.input[1]) if node.op_type == "PRelu" else None
        dims = list(slope.dims) if slope is not None else []
        if slope is None or len(dims) != 3 or dims[1:] != [1, 1]:
            nodes.append(node)
            continue
        slopes = numpy_helper.to_array(slope).ravel().astype(np.float64)
        added, needed = _written(node.input[0], node.output[0], slopes)
        nodes += added
        weights += needed
        rewritten += 1
    if rewritten:
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.extend(weights)
    return rewritten


def _written(x: str, y: str, slopes: Any) -> tuple[list[Any], list[Any]]:
    """Nodes and weights for ``y = prelu(x)`` with slopes ``(channels,)``."""
    from onnx import helper, numpy_helper

    if np.all(slopes == slopes[0]):
        return [helper.make_node("LeakyRelu", [x], [y], name=y, alpha=float(slopes[0]))], []
    weights = []

    def scaled(source: str, by: Any, output: str) -> Any:
        weights.append(numpy_helper.from_array(by.astype(np.float32).reshape(-1, 1, 1, 1), f"{output}.by"))
        inputs = [source, f"{output}.by"]
        return helper.make_node("Conv", inputs, [output], name=output, kernel_shape=[1, 1], group=len(by))

    def relu(source: str, output: str) -> Any:
        return helper.make_node("Relu", [source], [output], name=output)

    straight, first, second = f"{y}.straight", f"{y}.first", f"{y}.bent"
    joined = [scaled(x, slopes, straight), helper.make_node("Add", [straight, second], [y], name=y)]
    if slopes.max() <= 1:
        return [scaled(x, 1 - slopes, first), relu(first, second), *joined], weights
    return [relu(x, first), scaled(first, 1 - slopes, second), *joined], weights

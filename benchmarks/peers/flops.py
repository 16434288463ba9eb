"""Arithmetic of a network: two operations per multiply-add, over convolutions and matrix products."""

from __future__ import annotations

import math
from pathlib import Path

import onnx


def gflop(network: Path) -> float:
    """GFLOP of one image, from the shapes that ONNX infers.

    Source: the definition; 2 · outputs · (inputs of one output).
    """
    model = onnx.load(str(network))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model = onnx.shape_inference.infer_shapes(model)
    shapes = {item.name: list(item.dims) for item in model.graph.initializer}
    for value in (*model.graph.value_info, *model.graph.output, *model.graph.input):
        dims = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]  # an unknown length is the batch: 1
        shapes.setdefault(value.name, dims)
    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            weight = shapes[node.input[1]]  # (out, in / groups, height, width)
            total += 2 * math.prod(shapes[node.output[0]][1:]) * math.prod(weight[1:])
        elif node.op_type in ("Gemm", "MatMul") and node.input[1] in shapes:
            total += 2 * math.prod(shapes[node.input[1]])
    return total / 1e9

"""Trained weights back in the file that they came from: the graph stays as it was, to the last name."""

from __future__ import annotations

from typing import Any

import numpy as np

from sameface.training.from_onnx.network import OnnxNetwork


def with_weights_of(network: OnnxNetwork, model: Any) -> Any:
    """A copy of a model whose weights and statistics are those of a network that was made of it.

    Args:
        network: trained.
        model: the ``onnx.ModelProto`` it was made of.
    """
    import onnx
    from onnx import numpy_helper

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    values = {name: value.detach().cpu().numpy() for name, value in network.named_values()}
    for item in changed.graph.initializer:
        if item.name in values:
            item.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values[item.name]), item.name))
    for node in changed.graph.node:
        if node.op_type == "Constant" and node.output[0] in values and node.attribute[0].name == "value":
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values[node.output[0]])))
    return changed

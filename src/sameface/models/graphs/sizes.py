"""Sizes that a file fixes although no layer needs them: the batch, or a detector's height and width."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def free_sizes(model: Any, axes: Collection[int], *, outputs: Collection[int]) -> None:
    """Let sizes of inputs and outputs be any, in place.

    Args:
        model: an ``onnx.ModelProto``.
        axes: of inputs; 0 is the batch.
        outputs: of outputs.
    """
    for values, freed in ((model.graph.input, axes), (model.graph.output, outputs)):
        for value in values:
            sizes = value.type.tensor_type.shape.dim
            for axis in freed:
                if axis < len(sizes):
                    sizes[axis].Clear()
                    sizes[axis].dim_param = f"{value.name}_{axis}"
    del model.graph.value_info[:]

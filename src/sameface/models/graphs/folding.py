"""Weights that are stored in blocks of 8 bits, as float32 again; and inputs that are none.

The OpenCV Zoo's ``int8bq`` files keep each weight tensor as int8 with a scale and a zero point for every block of some 64 numbers
(``DequantizeLinear`` with ``block_size``), and turn it into its shape by a ``Reshape``. ONNX Runtime would do both again in every run,
and cannot optimise what stands behind them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError


def fold_blocks(model: Any) -> int:
    """Replace block-quantised weights by the float32 numbers they stand for, in place.

    Args:
        model: an ``onnx.ModelProto``.

    Returns:
        How many weight tensors were folded.

    Raises:
        ModelDamagedError: scales or zero points do not fit their weights.
    """
    from onnx import numpy_helper

    graph = model.graph
    stored = {item.name: item for item in graph.initializer}
    folded: dict[str, npt.NDArray[Any]] = {}
    kept = []
    for node in graph.node:
        attributes = {item.name: item.i for item in node.attribute}
        blocked = node.op_type == "DequantizeLinear" and attributes.get("block_size", 0) > 0
        again = node.op_type == "Reshape" and node.input[0] in folded
        parts = [folded.get(name) if name in folded else _stored(stored, name) for name in node.input]
        arrays = [part for part in parts if part is not None]
        if not (blocked or again) or len(arrays) < len(parts):
            kept.append(node)
            continue
        try:
            if again:  # noqa: SIM108  # two lines are easier to read
                value = arrays[0].reshape(arrays[1])
            else:
                value = dequantise(*arrays, axis=attributes.get("axis", 1), block=attributes["block_size"])
        except ValueError as error:
            raise ModelDamagedError(
                expected=f"block-quantised weights whose scales fit, in {node.output[0]}",
                got=str(error),
                advice="fetch the network again, or take its float32 file",
            ) from error
        folded[node.output[0]] = value
    if not folded:
        return 0
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for node in kept for name in node.input} | {item.name for item in graph.output}
    wanted = sorted(used & set(folded))
    graph.initializer.extend(numpy_helper.from_array(np.ascontiguousarray(folded[name]), name) for name in wanted)
    del graph.value_info[:]  # they may tell shapes of what is gone
    return len(wanted)


def _stored(weights: dict[str, Any], name: str) -> npt.NDArray[Any] | None:
    from onnx import numpy_helper

    return numpy_helper.to_array(weights[name]) if name in weights else None


def dequantise(
    whole: npt.NDArray[Any],
    scale: npt.NDArray[np.float32],
    zero: npt.NDArray[Any] | None = None,
    *,
    axis: int,
    block: int,
) -> npt.NDArray[np.float32]:
    """``(whole − zero) · scale``, with one scale and zero for each block along an axis.

    Args:
        whole: 8-bit numbers of any shape.
        scale: of the same shape, but along `axis` one number for each block; the last block may be shorter.
        zero: likewise; None for 0.
        axis, block: the axis and how many numbers share a scale.

    Raises:
        ValueError: shapes that do not fit.

    Source: ONNX, DequantizeLinear-21.

    >>> dequantise(np.array([[1, 2, 3]], np.int8), np.array([[0.5, 2.0]], np.float32), axis=1, block=2).tolist()
    [[0.5, 1.0, 6.0]]
    """
    length = whole.shape[axis] if -whole.ndim <= axis < whole.ndim else 0
    blocks = list(whole.shape)
    if length:
        blocks[axis] = -(-length // block)
    if not length or list(scale.shape) != blocks or (zero is not None and list(zero.shape) != blocks):
        given = "" if zero is None else f" and zero points of shape {zero.shape}"
        raise ValueError(
            f"weights of shape {whole.shape} with scales of shape {scale.shape}{given} for blocks of {block}"
        )
    index = np.arange(length) // block
    centred = whole.astype(np.int32)
    if zero is not None:
        centred = centred - np.take(zero.astype(np.int32), index, axis=axis)
    return np.asarray(centred.astype(np.float32) * np.take(scale, index, axis=axis), dtype=np.float32)


def drop_unused(model: Any) -> None:
    """Remove inputs and weights that no node uses, and inputs that only repeat a weight's name, in place.

    Older files declare every weight as an input too; quantised ones still declare the weights that are gone.
    """
    graph = model.graph
    used = _used(graph) | {item.name for item in graph.output}
    weights = [item for item in graph.initializer if item.name in used]
    names = {item.name for item in weights}
    inputs = [item for item in graph.input if item.name in used and item.name not in names]
    del graph.initializer[:], graph.input[:]
    graph.initializer.extend(weights)
    graph.input.extend(inputs)


def _used(graph: Any) -> set[str]:
    """Names that nodes take, also nodes inside loops and branches."""
    names: set[str] = set()
    for node in graph.node:
        names.update(node.input)
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                names |= _used(inner) | {item.name for item in inner.output}
    return names

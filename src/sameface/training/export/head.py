"""A head joined with the encoder below it: one ONNX file from pixels to the new embedding."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from sameface.encoders import load_encoder
from sameface.errors import TrainingError
from sameface.files import atomic_write
from sameface.models.card import ModelCard
from sameface.models.networks import network_file
from sameface.training.export.encoder import TOLERANCE, write_card_beside
from sameface.training.networks.head import Head
from sameface.training.networks.siamese import SiameseNetwork


def export_head(network: SiameseNetwork, base: ModelCard, path: Path, *, title: str, training_data: str) -> float:
    """Write ``name.onnx`` and ``name.toml``: the base encoder's views, mean and scaling, then the head, in one network.

    Args:
        network: a trained `Head` in its Siamese shell.
        base: card of the encoder whose embeddings it was trained on.
        path: ends in ``.onnx``; its stem, in lower case, becomes the id.
        title, training_data: for the card.

    Returns:
        The largest difference to the base encoder followed by PyTorch's head.

    Raises:
        TrainingError: the two differ by more than 1e-4, or the network has no head.
    """
    head = network.backbone
    if not isinstance(head, Head):
        raise TrainingError(
            expected="a head on an encoder", got=type(head).__name__, advice="export whole networks with export_encoder"
        )
    joined = _joined(head, base, network.unit_length)
    card = dataclasses.replace(
        base,
        id=path.stem.lower().replace("_", "-"),
        title=title,
        source=f"sameface train --network head, on {base.id}",
        training_data=f"{training_data}; below it: {base.training_data}",
        network="",
        package="",
        views=("plain",),
        unit_length=network.unit_length,
        published_threshold=None,
        quantised="",
        measured=(),
    )
    with atomic_write(path) as part:
        part.write_bytes(joined.SerializeToString())
    write_card_beside(card, path)
    return _difference(network, base, path)


def _difference(network: SiameseNetwork, base: ModelCard, path: Path) -> float:
    import torch

    width, height = base.input_size_wh
    crops = np.random.default_rng(0).integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = network.cpu().eval().embed(torch.from_numpy(load_encoder(base.id).encode(crops))).numpy()
    difference = float(np.abs(load_encoder(path).encode(crops) - expected).max())
    if not difference <= TOLERANCE:
        raise TrainingError(
            expected=f"the joined network within {TOLERANCE} of encoder and head",
            got=f"{difference:.2g}",
            advice="export again; report it if it stays so",
        )
    return difference


def _joined(head: Head, base: ModelCard, unit_length: bool) -> onnx.ModelProto:
    """Base network with nodes before it (views) and behind it (mean, scaling, head)."""
    below = compose.add_prefix(onnx.load(str(network_file(base))), "base/")
    graph = below.graph
    (pixels,) = graph.input
    answer = next(item for item in graph.output if _last_side(item) in {base.dimension, None})
    opset = next(item.version for item in below.opset_import if item.domain in {"", "ai.onnx"})
    views = len(base.views)
    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, value: npt.NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    before: list[Any] = []
    entrance = "pictures"
    if base.views == ("plain",):
        add("Identity", [entrance], pixels.name)
    else:
        width_axis = 3 if base.layout == "nchw" else 2
        mirrored = add(
            "Slice",
            [
                entrance,
                constant("mirror/start", np.array([-1], np.int64)),
                constant("mirror/end", np.array([-(2**31)], np.int64)),
                constant("mirror/axis", np.array([width_axis], np.int64)),
                constant("mirror/step", np.array([-1], np.int64)),
            ],
            "mirror",
        )
        seen = [mirrored if view == "mirror" else entrance for view in base.views]
        add("Concat", seen, pixels.name, axis=0)
    before, nodes = nodes, []
    d = base.dimension
    flat = add("Reshape", [answer.name, constant("views/shape", np.array([views, -1, d], np.int64))], "views")
    axis_0 = constant("views/axis", np.array([0], np.int64))
    x = (
        add("ReduceMean", [flat, axis_0], "mean", keepdims=0)
        if opset >= 18
        else add("ReduceMean", [flat], "mean", axes=[0], keepdims=0)
    )

    def scaled(name: str, vectors: str) -> str:
        squares = add("Mul", [vectors, vectors], f"{name}/squares")
        axis_1 = constant(f"{name}/axis", np.array([1], np.int64))
        length = add("Sqrt", [add("ReduceSum", [squares, axis_1], f"{name}/sum", keepdims=1)], f"{name}/length")
        return add("Div", [vectors, length], name)

    if base.unit_length:
        x = scaled("base_unit", x)

    def weights(name: str, value: Any) -> str:
        return constant(name, value.detach().cpu().numpy().astype(np.float32))

    hidden = add(
        "Gemm", [x, weights("expand/w", head.expand.weight), weights("expand/b", head.expand.bias)], "expand", transB=1
    )
    change = add(
        "Gemm",
        [
            add("Relu", [hidden], "active"),
            weights("contract/w", head.contract.weight),
            weights("contract/b", head.contract.bias),
        ],
        "contract",
        transB=1,
    )
    moved = add("Add", [x, change], "moved")
    last = scaled("unit", moved) if unit_length else moved
    add("Identity", [last], "embeddings")

    shape = [dimension.dim_value or dimension.dim_param or None for dimension in pixels.type.tensor_type.shape.dim]
    entrance_info = helper.make_tensor_value_info(entrance, pixels.type.tensor_type.elem_type, ["m", *shape[1:]])
    exit_info = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["m", d])
    whole = helper.make_graph(
        [*before, *graph.node, *nodes], "head", [entrance_info], [exit_info], [*graph.initializer, *constants]
    )
    model = helper.make_model(whole, opset_imports=below.opset_import, ir_version=below.ir_version)
    onnx.checker.check_model(model)
    return model


def _last_side(item: Any) -> int | None:
    sides = [dimension.dim_value for dimension in item.type.tensor_type.shape.dim]
    return sides[-1] if sides and sides[-1] else None

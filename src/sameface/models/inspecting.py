"""What an ONNX file says about itself, so that nobody has to type it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelCardError
from sameface.models.graphs.converting import read_tidily
from sameface.models.runtime import Session

_MARGIN = 1e-3
#: An encoder may give a score or two beside its vector; detectors give six and more.
_MOST_OUTPUTS = 4


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What was found out about an encoder's network; None where the file does not say.

    Attributes:
        layout: axis order of the input.
        input_size_wh: (width, height).
        dimension: length of the embedding.
        unit_length: whether embeddings come out with length 1 on noise.
        normalises: whether the network begins by shifting or scaling its input, so that it takes 0–255.
    """

    layout: Literal["nchw", "nhwc"]
    input_size_wh: tuple[int, int] | None
    dimension: int | None
    unit_length: bool | None
    normalises: bool


def inspect_network(path: Path) -> NetworkFacts:
    """Look at an encoder's network and try it on noise.

    Raises:
        ModelMissingError, ModelDamagedError: as `Session`.
        ModelCardError: not one picture in, or no vector out.
    """
    session = Session(path)
    network = read_tidily(path)
    if len(network.graph.input) < len(session.inputs):  # what no node uses is no input
        session = Session(network.SerializeToString())
    if len(session.inputs) != 1:
        raise _no_encoder(f"{len(session.inputs)} inputs")
    ((name, shape),) = session.inputs.items()
    if len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise _no_encoder(f"an input of shape {shape}")
    layout: Literal["nchw", "nhwc"] = "nchw" if shape[1] == 3 else "nhwc"
    height, width = shape[2:4] if layout == "nchw" else shape[1:3]
    size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
    dimension, unit = _try_out(session, name, shape, layout, size)
    return NetworkFacts(layout, size, dimension, unit, _normalises(network.graph))


def _try_out(
    session: Session, name: str, shape: list[Any], layout: str, size: tuple[int, int] | None
) -> tuple[int | None, bool | None]:
    """Dimension and unit length from a run on noise; from the declared shape where the size is not known."""
    if size is None:
        if len(session.outputs) > _MOST_OUTPUTS:
            raise _no_encoder(f"{len(session.outputs)} outputs")
        declared = next(iter(session.outputs.values())) if len(session.outputs) == 1 else []
        return (declared[-1] if declared and isinstance(declared[-1], int) else None), None
    count = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else 2
    width, height = size
    axes = (count, 3, height, width) if layout == "nchw" else (count, height, width, 3)
    noise = np.random.default_rng(0).integers(0, 256, axes)
    kind = np.uint8 if session.input_types[name] == "tensor(uint8)" else np.float32
    answers = session.run({name: noise.astype(kind)})
    vectors = [answer for answer in answers if _is_a_vector_each(answer, count)]
    if not vectors:
        raise _no_encoder(f"outputs of shapes {', '.join(str(answer.shape) for answer in answers)}")
    if len(vectors) > 1:
        return None, None  # which of them is the embedding, its dimension tells
    rows = vectors[0].reshape(count, -1).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    return rows.shape[1], bool(np.abs(lengths - 1).max() < _MARGIN)


def _is_a_vector_each(answer: npt.NDArray[Any], count: int) -> bool:
    """Whether an output is one vector for each of `count` pictures: ``(count, d)`` or ``(count, d, 1, 1)``.

    ``(count, n, 1)`` is how detectors give scores of n places.
    """
    sides = answer.shape[1:] if answer.shape[:1] == (count,) else answer.shape if count == 1 else ()
    return answer.size > 0 and len(sides) in (1, 3) and sum(side > 1 for side in sides) <= 1


def _normalises(graph: Any) -> bool:
    """Whether the first thing done to the input is to subtract, scale or normalise it by constants."""
    constants = {item.name for item in graph.initializer}
    constants |= {output for node in graph.node if node.op_type == "Constant" for output in node.output}
    current = graph.input[0].name
    while True:
        users = [node for node in graph.node if current in node.input]
        if len(users) != 1:
            return False
        (node,) = users
        if node.op_type in ("Cast", "Transpose", "Identity"):
            current = node.output[0]
            continue
        if node.op_type == "BatchNormalization":
            return True
        return node.op_type in ("Sub", "Add", "Mul", "Div") and any(part in constants for part in node.input)


def _no_encoder(got: str) -> ModelCardError:
    return ModelCardError(
        expected="a network that takes (m, 3, h, w) or (m, h, w, 3) and gives (m, d)",
        got=got,
        advice="add only networks that turn a face crop into a vector",
    )

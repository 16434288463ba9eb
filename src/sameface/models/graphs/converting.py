"""A publisher's ONNX encoder as it is run: weights in float32, any batch, checked against the file it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError
from sameface.models.graphs.folding import drop_unused, fold_blocks
from sameface.models.graphs.sizes import free_sizes
from sameface.models.runtime import Session

#: How far a converted network may be from its original, relative to the largest number that comes out of noise.
TOLERANCE: Final = 1e-5


def write_converted(source: Path, target: Path, size_wh: tuple[int, int]) -> None:
    """Write an encoder's network in the form that is run.

    What comes out is compared with the original on noise. Where a free batch would change the answers, the batch stays as it is.

    Args:
        source: an ONNX file.
        target: written whole; the caller makes it atomic.
        size_wh: of the crops, for files that do not say.

    Raises:
        ModelDamagedError: the file is no network that runs here, or its block-quantised weights do not fold.
    """
    original = Session(source)  # says in words what is wrong with a file
    import onnx

    network = read_tidily(source)
    if _is_single(network):
        freed = onnx.ModelProto()
        freed.CopyFrom(network)
        free_sizes(freed, {0}, outputs={0})
        if _takes_two(freed, original, size_wh):
            network = freed
    onnx.save_model(network, str(target))


def read_tidily(source: Path) -> Any:
    """Read a network that ONNX Runtime has taken: weights in float32, and only inputs that some node uses.

    Returns:
        An ``onnx.ModelProto``.

    Raises:
        ModelDamagedError: block-quantised weights do not fold.
    """
    import onnx

    network = onnx.load(str(source))
    fold_blocks(network)
    drop_unused(network)
    return network


def _is_single(network: Any) -> bool:
    """Whether a network has one input, and takes one picture at a time."""
    if len(network.graph.input) != 1:
        return False
    sizes = network.graph.input[0].type.tensor_type.shape.dim
    return len(sizes) == 4 and sizes[0].dim_value == 1


def _takes_two(network: Any, original: Session, size_wh: tuple[int, int]) -> bool:
    """Whether a network gives for two pictures at once what the original gives for each."""
    name = network.graph.input[0].name
    pictures = _noise(original, name, size_wh)
    spare = {  # inputs that no node uses, which ONNX Runtime asks for all the same
        other: np.zeros([side if isinstance(side, int) else 1 for side in shape], np.float32)
        for other, shape in original.inputs.items()
        if other != name
    }
    apart = [original.run({name: picture[None], **spare}) for picture in pictures]
    try:
        together = Session(network.SerializeToString()).run({name: pictures})
    except ModelDamagedError:
        return False
    expected = [np.concatenate(pair) for pair in zip(*apart, strict=True)]
    return all(
        answer.shape == wanted.shape and np.abs(answer - wanted).max() <= TOLERANCE * np.abs(wanted).max()
        for answer, wanted in zip(together, expected, strict=True)
    )


def _noise(session: Session, name: str, size_wh: tuple[int, int]) -> npt.NDArray[Any]:
    """Two different pictures as an input takes them."""
    sides = session.inputs[name][1:]
    usual = (3, *size_wh[::-1]) if sides[0] == 3 else (*size_wh[::-1], 3)
    shape = [side if isinstance(side, int) else wanted for side, wanted in zip(sides, usual, strict=True)]
    kind = np.uint8 if session.input_types[name] == "tensor(uint8)" else np.float32
    return np.random.default_rng(0).integers(0, 256, (2, *shape)).astype(kind)

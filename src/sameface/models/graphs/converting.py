"""A publisher's ONNX encoder as it is run: weights in float32, any batch, fast activations; checked against the file it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError
from sameface.models.graphs.folding import drop_unused, fold_blocks
from sameface.models.graphs.prelu import rewrite_prelus
from sameface.models.graphs.sizes import free_sizes
from sameface.models.runtime import Session

#: How far a converted network may be from its original, relative to the largest number that comes out of noise.
TOLERANCE: Final = 1e-5


def write_converted(source: Path, target: Path, size_wh: tuple[int, int]) -> None:
    """Write an encoder's network in the form that is run: with a free batch and cheap activations.

    What comes out is compared with the original on noise; what would change the answers is left out.

    Args:
        source: an ONNX file.
        target: written whole; the caller makes it atomic.
        size_wh: of the crops, for files that do not say.

    Raises:
        ModelDamagedError: the file is no network that runs here, or its block-quantised weights do not fold.
    """
    import onnx

    original = Session(source)  # says in words what is wrong with a file
    tidy = read_tidily(source)
    if len(tidy.graph.input) == 1:
        expected = _answers(original, tidy.graph.input[0].name, size_wh)
        for form in _forms(tidy):
            if _gives(form, expected):
                onnx.save_model(form, str(target))
                return
    onnx.save_model(tidy, str(target))


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


def _forms(tidy: Any) -> Iterator[Any]:
    """Forms of a network, the best first."""
    import onnx

    sizes = tidy.graph.input[0].type.tensor_type.shape.dim
    single = len(sizes) == 4 and sizes[0].dim_value == 1
    for rewritten, freed in ((True, single), (False, single), (True, False)):
        form = onnx.ModelProto()
        form.CopyFrom(tidy)
        if rewritten:
            rewrite_prelus(form)
            drop_unused(form)
        if freed:
            free_sizes(form, {0}, outputs={0})
        yield form


class _Answers(NamedTuple):
    """What the original gives for some pictures, one picture at a time.

    Attributes:
        name: of the input.
        pictures: ``(2, …)`` noise.
        outputs: each ``(2, …)``.
    """

    name: str
    pictures: npt.NDArray[Any]
    outputs: list[npt.NDArray[Any]]


def _answers(original: Session, name: str, size_wh: tuple[int, int]) -> _Answers:
    sides = original.inputs[name][1:]
    usual = (3, *size_wh[::-1]) if sides and sides[0] == 3 else (*size_wh[::-1], 3)
    shape = [side if isinstance(side, int) else wanted for side, wanted in zip(sides, usual, strict=False)]
    kind = np.uint8 if original.input_types[name] == "tensor(uint8)" else np.float32
    batch = original.inputs[name][0]
    count = batch if isinstance(batch, int) and batch > 0 else 1
    pictures = np.random.default_rng(0).integers(0, 256, (2 * count, *shape)).astype(kind)
    spare = {  # inputs that no node uses, which ONNX Runtime asks for all the same
        other: np.zeros([side if isinstance(side, int) else 1 for side in given], np.float32)
        for other, given in original.inputs.items()
        if other != name
    }
    halves = [original.run({name: part, **spare}) for part in (pictures[:count], pictures[count:])]
    return _Answers(name, pictures, [np.concatenate(pair) for pair in zip(*halves, strict=True)])


def _gives(network: Any, expected: _Answers) -> bool:
    """Whether a network gives what the original gives: for all pictures at once, or for each half where its batch is fixed."""
    try:
        session = Session(network.SerializeToString())
        batch = session.inputs[expected.name][0]
        step = batch if isinstance(batch, int) and batch > 0 else len(expected.pictures)
        parts = [
            session.run({expected.name: expected.pictures[start : start + step]})
            for start in range(0, len(expected.pictures), step)
        ]
    except ModelDamagedError:
        return False
    return all(
        answer.shape == wanted.shape and np.abs(answer - wanted).max() <= TOLERANCE * np.abs(wanted).max()
        for answer, wanted in zip(
            (np.concatenate(part) for part in zip(*parts, strict=True)), expected.outputs, strict=True
        )
    )

"""Reader of dlib's face recognition ResNet: from the published ``.dat`` file to plain arrays.

The file is checked against the one architecture that it may hold, layer by layer, and must end where the last layer ends;
anything else is another network or a damaged file. Each affine layer is folded into the convolution before it.

Source: the network's definition as published by its author with dlib (anet_type); the stream's format as in
`dlib_stream`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sameface.models.dlib_stream import DlibStream
from sameface.progress import Share

Floats = npt.NDArray[np.float32]

#: Raise when the network that is written from this file changes: it is part of the cached file's name.
CONVERTER_VERSION: Final = 1
#: Side of the square input.
INPUT_SIZE: Final = 150
#: Length of the embedding.
DIMENSION: Final = 128
_MEAN_RGB: Final = (122.782, 117.001, 104.298)
_LAYER, _TAG_OR_SKIP, _INNERMOST = 2, 1, 3


class Stage(NamedTuple):
    """A run of residual blocks of one width; the first of them may halve the picture."""

    width: int
    blocks: int
    halves: bool


#: The body of the network, from the input's side.
STAGES: Final = (Stage(32, 3, False), Stage(64, 4, True), Stage(128, 3, True), Stage(256, 3, True), Stage(256, 1, True))
_STEM_WIDTH, _STEM_SIZE = 32, 7


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution with its affine layer folded in: ``y = filters ⋆ x + biases``.

    Attributes:
        filters: ``(outputs, inputs, rows, columns)`` float32, cross-correlation.
        biases: ``(outputs,)`` float32.
        stride, padding: the same in both directions.
    """

    filters: Floats
    biases: Floats
    stride: int
    padding: int


@dataclass(frozen=True, slots=True, eq=False)
class ResnetWeights:
    """The network's parameters.

    Attributes:
        mean_rgb: subtracted from pixels before they are divided by 256.
        convolutions: the stem, then two for each residual block, from the input's side.
        projection: ``(256, 128)``: embedding = pooled · projection.
    """

    mean_rgb: tuple[float, float, float]
    convolutions: tuple[Convolution, ...]
    projection: Floats


class _Expected(NamedTuple):
    """A layer that must come next; a tag or a skip has no name and no body."""

    name: str
    arguments: tuple[int, ...] = ()


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> Iterator[_Expected]:
    padding = 1 if size == 3 and stride == 1 else 0
    yield _Expected("con_4", (outputs, size, size, stride, stride, padding, padding, inputs))
    yield _Expected("affine_", (outputs,))


def _architecture() -> Iterator[_Expected]:
    """Layers from the input's side, with tags and skips as nameless entries."""
    nameless = _Expected("")
    yield from _convolution(3, _STEM_WIDTH, _STEM_SIZE, 2)
    yield _Expected("relu_")
    yield _Expected("max_pool_2", (3, 3, 2, 2, 0, 0))
    inputs = _STEM_WIDTH
    for stage in STAGES:
        for block in range(stage.blocks):
            halves = stage.halves and block == 0
            yield nameless
            yield from _convolution(inputs, stage.width, 3, 2 if halves else 1)
            yield _Expected("relu_")
            yield from _convolution(stage.width, stage.width, 3, 1)
            if halves:
                yield from (nameless, nameless, _Expected("avg_pool_2", (2, 2, 2, 2, 0, 0)))
            yield _Expected("add_prev_")
            yield _Expected("relu_")
            inputs = stage.width
    yield _Expected("avg_pool_2", (0, 0, 1, 1, 0, 0))
    yield _Expected("fc_2", (DIMENSION, inputs))


def read_resnet(data: bytes, name: str, progress: Share | None = None) -> ResnetWeights:
    """Parse the whole file.

    Args:
        data: the bytes of ``dlib_face_recognition_resnet_model_v1.dat``.
        name: what to call the file in errors.
        progress: called with the share of the file that was read, 0 to 1.

    Raises:
        ModelDamagedError: cut short, too long, or another network.
    """
    stream = DlibStream(data, name)
    expected = list(_architecture())
    _read_loss(stream)
    _read_nesting(stream, expected)
    mean = _read_input(stream)
    convolutions: list[Convolution] = []
    pending: tuple[Floats, Floats, int, int] | None = None
    projection = np.empty((0, 0), dtype=np.float32)
    for index, layer in enumerate(expected):
        if layer.name == "":
            continue
        _expect_name(stream, layer.name)
        if layer.name == "con_4":
            pending = _read_convolution(stream, layer.arguments)
        elif layer.name == "affine_":
            assert pending is not None
            gamma, beta = _read_affine(stream, layer.arguments[0])
            filters, biases, stride, padding = pending
            folded = (filters * gamma[:, None, None, None]).astype(np.float32)
            convolutions.append(Convolution(folded, (biases * gamma + beta).astype(np.float32), stride, padding))
        elif layer.name == "fc_2":
            projection = _read_projection(stream, layer.arguments)
        else:
            _expect_integers(stream, layer.arguments)
        _read_leftovers(stream, innermost=index == 0)
        if progress is not None:
            progress(stream.position / max(len(data), 1))
    stream.end()
    return ResnetWeights(mean, tuple(convolutions), projection)


def _read_loss(stream: DlibStream) -> None:
    stream.expect(1)
    _expect_name(stream, "loss_metric_2")
    _margin, _threshold = stream.number(), stream.number()


def _read_nesting(stream: DlibStream, expected: list[_Expected]) -> None:
    """Version integers stand outermost first, before any layer's body."""
    for layer in reversed(expected[1:]):
        stream.expect(_LAYER if layer.name else _TAG_OR_SKIP)
    stream.expect(_INNERMOST)


def _read_input(stream: DlibStream) -> tuple[float, float, float]:
    _expect_name(stream, "input_rgb_image_sized")
    mean = (stream.number(), stream.number(), stream.number())
    if not np.allclose(mean, _MEAN_RGB, atol=1e-3):
        raise stream.damaged(f"a mean colour of {mean}")
    _expect_integers(stream, (INPUT_SIZE, INPUT_SIZE))
    return mean


def _read_convolution(stream: DlibStream, arguments: tuple[int, ...]) -> tuple[Floats, Floats, int, int]:
    outputs, rows, columns, stride, _, padding, _, inputs = arguments
    values = stream.tensor().ravel()
    _expect_integers(stream, arguments[:7])
    _expect_alias(stream, (outputs, inputs, rows, columns))
    _expect_alias(stream, (1, outputs, 1, 1))
    _read_multipliers(stream)
    split = outputs * inputs * rows * columns
    _expect_finite(stream, values, split + outputs)
    return values[:split].reshape(outputs, inputs, rows, columns), values[split:], stride, padding


def _read_affine(stream: DlibStream, channels: int) -> tuple[Floats, Floats]:
    values = stream.tensor().ravel()
    _expect_alias(stream, (1, channels, 1, 1))
    _expect_alias(stream, (1, channels, 1, 1))
    _expect_integers(stream, (0,))  # mode: one pair of numbers for each channel
    _expect_finite(stream, values, 2 * channels)
    return values[:channels], values[channels:]


def _read_projection(stream: DlibStream, arguments: tuple[int, ...]) -> Floats:
    outputs, inputs = arguments
    _expect_integers(stream, (outputs, inputs))
    values = stream.tensor().ravel()
    _expect_alias(stream, (inputs, outputs, 1, 1))
    _expect_alias(stream, (0, 0, 0, 0))
    _expect_integers(stream, (1,))  # bias mode: none
    _read_multipliers(stream)
    _expect_finite(stream, values, inputs * outputs)
    return values.reshape(inputs, outputs)


def _read_multipliers(stream: DlibStream) -> None:
    """Learning rates and weight decays: training's business."""
    for _ in range(4):
        stream.number()


def _read_leftovers(stream: DlibStream, *, innermost: bool) -> None:
    """Three flags and three tensors of training's state, empty in a published file."""
    for _ in range(3):
        stream.boolean()
    for _ in range(3):
        if stream.tensor().size:
            raise stream.damaged("gradients, which a published model does not carry")
    if innermost:
        stream.integer()


def _expect_name(stream: DlibStream, name: str) -> None:
    found = stream.string()
    if found != name:
        raise stream.damaged(f"a layer {found[:40]!r} where {name!r} belongs")


def _expect_integers(stream: DlibStream, expected: tuple[int, ...]) -> None:
    found = tuple(stream.integer() for _ in expected)
    if found != expected:
        raise stream.damaged(f"layer settings {found} where {expected} belong")


def _expect_alias(stream: DlibStream, expected: tuple[int, int, int, int]) -> None:
    found = stream.alias_shape()
    if found != expected:
        raise stream.damaged(f"a parameter shape {found} where {expected} belongs")


def _expect_finite(stream: DlibStream, values: Floats, count: int) -> None:
    if values.size != count:
        raise stream.damaged(f"{values.size} parameters where {count} belong")
    if not np.isfinite(values).all():
        raise stream.damaged("parameters that are not finite")

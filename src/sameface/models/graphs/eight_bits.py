"""A chain of convolutions in 8 bits: unsigned activations, signed filters scaled per channel, 32-bit sums.

ONNX Runtime joins each run of dequantise, convolve, quantise into one integer operation. A PReLU would leave it; where no slope is above 1
it is ``max(x, s x)``, and when both have one scale, the larger of two bytes is exactly that.

One scale serves all channels of an activation. So channels are brought to like ranges first, by moving factors between a layer and the
next (Nagel et al. 2019, "Data-free quantization through weight equalization", section 4.1; here from measured ranges): fully where the next
layer is depthwise, whose filters have a scale for each channel, and by the root where they have not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.models.graphs.chain import Chain, Layer, turn_steep_slopes

_OPSET, _IR = 17, 9
#: Factors between channels are kept in quarter octaves: ``2 ** (n / 4)``.
STEPS: Final = 4
#: A channel that is this much quieter than the loudest is not made louder still.
_QUIETEST: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Ranges:
    """What was measured on crops.

    Attributes:
        channels: for each layer, the factor of each channel in quarter octaves.
        values: smallest and largest value before each layer's PReLU, after the channels were brought to like ranges.
    """

    channels: list[list[int]]
    values: list[tuple[float, float]]


def prepared_chain(chain: Chain, channels: Iterable[Iterable[int]] = ()) -> Chain:
    """The chain with slopes of 1 at most and, where factors are given, channels of like ranges; in place, the same network."""
    turn_steep_slopes(chain)
    for number, factors in enumerate(channels):
        chain.rescale(number, 2.0 ** (np.asarray(list(factors), dtype=np.float64) / STEPS))
    return chain


def channel_factors(chain: Chain, loudest: list[npt.NDArray[np.float64]]) -> list[list[int]]:
    """Factors that bring channels to like ranges.

    Args:
        chain: with slopes of 1 at most.
        loudest: for each layer the largest absolute value of each channel before its PReLU.
    """
    factors = []
    for number, loud in enumerate(loudest):
        heard = np.maximum(loud, loud.max() * _QUIETEST)
        like = np.log2(heard) - np.log2(heard).mean()
        fully = number + 1 < len(chain.layers) and chain.layers[number + 1].depthwise
        factors.append([int(step) for step in np.rint(STEPS * like * (1.0 if fully else 0.5))])
    return factors


def write_float(chain: Chain) -> Any:
    """The chain as an ``onnx.ModelProto`` in float32 that gives every activation whose range matters, by the names ``0``, ``1``, …"""
    graph = _Graph()
    value = graph.node("Cast", ["pixels"], "cast", to=1)
    value = graph.node("Sub", [value, graph.weight("shift", np.float32(chain.shift))], "shifted")
    for number, layer in enumerate(chain.layers):
        filters = graph.weight(f"{number}.filters", layer.filters.astype(np.float32))
        biases = graph.weight(f"{number}.biases", layer.biases.astype(np.float32))
        linear = graph.node("Conv", [value, filters, biases], str(number), **layer.attributes)
        slopes = graph.weight(f"{number}.slopes", layer.slopes.astype(np.float32)[:, None, None])
        value = graph.node("PRelu", [linear, slopes], f"{number}.bent")
    graph.finish(value, chain, chain.projection.reshape(len(chain.projection), -1).T.astype(np.float32))
    return graph.model([str(number) for number in range(len(chain.layers))])


def write_eight_bits(chain: Chain, values: list[tuple[float, float]]) -> Any:
    """The chain as an ``onnx.ModelProto`` in 8 bits that takes bytes ``(m, 3, h, w)``.

    Args:
        chain: prepared by the factors that the ranges were measured with.
        values: see `Ranges`.
    """
    graph = _Graph()
    value, scale, zero = "pixels", 1.0, int(chain.shift)
    first = chain.layers[
        0
    ]  # pixels are bytes already; what is left of a shift by half a grey level goes into the biases
    first.biases = first.biases + (zero - chain.shift) * first.filters.sum(axis=(1, 2, 3))
    for number, (layer, (low, high)) in enumerate(zip(chain.layers, values, strict=True)):
        step = (max(high, 1e-6) - min(low, 0.0)) / 255
        middle = round(-min(low, 0.0) / step)
        linear = graph.convolution(value, (scale, zero), f"{number}", layer, (step, middle))
        count = len(layer.slopes)
        times = Layer(
            layer.slopes[:, None, None, None], np.zeros(count), layer.slopes, {"kernel_shape": [1, 1], "group": count}
        )
        bent = graph.convolution(linear, (step, middle), f"{number}.times", times, (step, middle))
        value, scale, zero = graph.node("Max", [linear, bent], f"{number}.bent"), step, middle
    numbers = graph.numbers(value, "last", scale, zero)
    whole, steps = _whole(chain.projection.reshape(len(chain.projection), -1))
    graph.finish(numbers, chain, whole.T, steps)
    return graph.model([])


def _whole(rows: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Rows as signed bytes with a step for each."""
    steps = np.abs(rows).max(axis=1) / 127
    steps = np.where(steps > 0, steps, 1.0).astype(np.float32)
    return np.clip(np.rint(rows / steps[:, None]), -127, 127).astype(np.int8), steps


class _Graph:
    """Collects nodes and weights; each call appends and gives its output's name."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._sides: Mapping[str, int] = {}

    def weight(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def numbers(self, source: str, user: str, scale: float, zero: int) -> str:
        """Bytes as numbers; each user has its own, so that the runtime can join them."""
        name = f"{user}.in"
        given = [self.weight(f"{name}.scale", np.float32(scale)), self.weight(f"{name}.zero", np.uint8(zero))]
        return self.node("DequantizeLinear", [source, *given], name)

    def convolution(
        self, source: str, source_scale: tuple[float, int], name: str, layer: Layer, scale: tuple[float, int]
    ) -> str:
        """A convolution of bytes that gives bytes."""
        count = len(layer.biases)
        whole, steps = _whole(layer.filters.reshape(count, -1))
        sums = np.float32(source_scale[0]) * steps
        biases = np.rint(layer.biases / sums).astype(np.int32)
        filters = self._dequantised(f"{name}.filters", whole.reshape(layer.filters.shape), steps)
        shifts = self._dequantised(f"{name}.biases", biases, sums)
        linear = self.node(
            "Conv", [self.numbers(source, name, *source_scale), filters, shifts], f"{name}.sum", **layer.attributes
        )
        given = [self.weight(f"{name}.scale", np.float32(scale[0])), self.weight(f"{name}.zero", np.uint8(scale[1]))]
        return self.node("QuantizeLinear", [linear, *given], name)

    def _dequantised(self, name: str, whole: npt.NDArray[Any], steps: npt.NDArray[np.float32], axis: int = 0) -> str:
        zeros = np.zeros(len(steps), whole.dtype)
        inputs = [
            self.weight(f"{name}.whole", whole),
            self.weight(f"{name}.steps", steps),
            self.weight(f"{name}.zeros", zeros),
        ]
        return self.node("DequantizeLinear", inputs, name, axis=axis)

    def finish(
        self, value: str, chain: Chain, matrix: npt.NDArray[Any], steps: npt.NDArray[np.float32] | None = None
    ) -> None:
        """The last layer, from ``(inputs, dimension)``."""
        flat = self.node("Flatten", [value], "flat")
        given = (
            self.weight("projection", matrix)
            if steps is None
            else self._dequantised("projection", matrix, steps, axis=1)
        )
        product = self.node("MatMul", [flat, given], "product")
        self.node("Add", [product, self.weight("offset", chain.offset.astype(np.float32))], "embeddings")
        self._sides = {"dimension": len(chain.offset)}

    def model(self, watched: list[str]) -> Any:
        from onnx import TensorProto, checker, helper

        make = helper.make_tensor_value_info
        outputs = [make("embeddings", TensorProto.FLOAT, ["m", self._sides["dimension"]])]
        outputs += [make(name, TensorProto.FLOAT, [None] * 4) for name in watched]
        pixels = make("pixels", TensorProto.UINT8, ["m", 3, "h", "w"])
        graph = helper.make_graph(self._nodes, "chain", [pixels], outputs, self._weights)
        model = helper.make_model(
            graph, producer_name="sameface", ir_version=_IR, opset_imports=[helper.make_opsetid("", _OPSET)]
        )
        checker.check_model(model)
        return model

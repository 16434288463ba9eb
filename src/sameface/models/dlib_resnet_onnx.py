"""dlib's face recognition ResNet as an ONNX network that takes raw pixels, in float32 or in 8 bits.

Input ``crops_rgb`` uint8 ``(m, 150, 150, 3)``, output ``embeddings`` float32 ``(m, 128)``. Everything up to the first
convolution is folded into it: ``(x − mean) / 256`` is exact there because nothing is padded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from sameface.models.dlib_resnet import (
    CONVERTER_VERSION,
    DIMENSION,
    INPUT_SIZE,
    STAGES,
    Convolution,
    ResnetWeights,
)

_OPSET, _IR = 17, 9
_INPUT: Final = "crops_rgb"


class _Writer(Protocol):
    """The operations the network is made of; each takes and gives names of values."""

    graph: Graph

    def planes(self, crops: str) -> str: ...
    def convolution(self, source: str, output: str, layer: Convolution, *, relu: bool) -> str: ...
    def max_pool(self, source: str, output: str) -> str: ...
    def grow(self, source: str, output: str, missing: int) -> str: ...
    def add(self, first: str, second: str, output: str) -> str: ...
    def numbers(self, source: str) -> str: ...


class Graph:
    """Collects nodes and parameters of an ONNX graph."""

    def __init__(self) -> None:
        import onnx

        self.onnx = onnx
        self.nodes: list[Any] = []
        self.parameters: list[Any] = []

    def parameter(self, name: str, values: npt.NDArray[Any]) -> str:
        self.parameters.append(self.onnx.numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, inputs: list[str], output: str, layer: Convolution) -> str:
        shape, strides, pads = list(layer.filters.shape[2:]), [layer.stride] * 2, [layer.padding] * 4
        return self.node("Conv", inputs, output, kernel_shape=shape, strides=strides, pads=pads)


class FloatWriter:
    """Writes the network in float32."""

    def __init__(self) -> None:
        self.graph = Graph()

    def planes(self, crops: str) -> str:
        pixels = self.graph.node("Cast", [crops], "pixels", to=self.graph.onnx.TensorProto.FLOAT)
        return self.graph.node("Transpose", [pixels], "planes", perm=[0, 3, 1, 2])

    def convolution(self, source: str, output: str, layer: Convolution, *, relu: bool) -> str:
        filters = self.graph.parameter(f"{output}.filters", layer.filters)
        biases = self.graph.parameter(f"{output}.biases", layer.biases)
        name = f"{output}.linear" if relu else output
        self.graph.convolution([source, filters, biases], name, layer)
        return self.graph.node("Relu", [name], output) if relu else output

    def max_pool(self, source: str, output: str) -> str:
        return self.graph.node("MaxPool", [source], output, kernel_shape=[3, 3], strides=[2, 2])

    def grow(self, source: str, output: str, missing: int) -> str:
        pads = self.graph.parameter(f"{output}.pads", np.array([0, 0, 0, 0, 0, 0, missing, missing], dtype=np.int64))
        return self.graph.node("Pad", [source, pads], output)

    def add(self, first: str, second: str, output: str) -> str:
        return self.graph.node("Relu", [self.graph.node("Add", [first, second], f"{output}.sum")], output)

    def numbers(self, source: str) -> str:
        return source


class ByteWriter:
    """Writes the network in 8 bits: unsigned activations, signed filters scaled per channel, 32-bit sums.

    ONNX Runtime joins each run of dequantise, operate, quantise into one integer operation. A ReLU costs nothing: its output's zero is
    the smallest byte, so that negative numbers saturate there. The pixels are bytes already and are taken exactly as they are.

    Args:
        ranges: smallest and largest value of each activation, by name.
    """

    def __init__(self, ranges: Mapping[str, tuple[float, float]]) -> None:
        self.graph = Graph()
        self._ranges = ranges
        self._scales: dict[str, tuple[float, int]] = {}

    def planes(self, crops: str) -> str:
        turned = self.graph.node("Transpose", [crops], "planes", perm=[0, 3, 1, 2])
        self._keep(turned, 1.0, 0)
        return turned

    def convolution(self, source: str, output: str, layer: Convolution, *, relu: bool) -> str:
        step = np.abs(layer.filters).max(axis=(1, 2, 3)) / 127
        step = np.where(step > 0, step, 1.0).astype(np.float32)
        whole = np.clip(np.rint(layer.filters / step[:, None, None, None]), -127, 127).astype(np.int8)
        source_scale = np.float32(self._scales[source][0])
        biases = np.rint(layer.biases.astype(np.float64) / (source_scale * step)).astype(np.int32)
        filters = self._dequantised(f"{output}.filters", whole, step, np.zeros(len(step), np.int8))
        shifts = self._dequantised(f"{output}.biases", biases, source_scale * step, np.zeros(len(step), np.int32))
        self.graph.convolution([self._numbers(source, output), filters, shifts], f"{output}.linear", layer)
        return self._quantised(f"{output}.linear", output, *self._step(output, relu=relu))

    def max_pool(self, source: str, output: str) -> str:
        pooled = self.graph.node("MaxPool", [source], output, kernel_shape=[3, 3], strides=[2, 2])
        self._keep(pooled, *self._scales[source])
        return pooled

    def grow(self, source: str, output: str, missing: int) -> str:
        pads = self.graph.parameter(f"{output}.pads", np.array([0, 0, 0, 0, 0, 0, missing, missing], dtype=np.int64))
        scale, zero = self._scales[source]
        nothing = self.graph.parameter(f"{output}.nothing", np.array(zero, dtype=np.uint8))
        grown = self.graph.node("Pad", [source, pads, nothing], output)
        self._keep(grown, scale, zero)
        return grown

    def add(self, first: str, second: str, output: str) -> str:
        terms = [self._numbers(first, f"{output}.first"), self._numbers(second, f"{output}.second")]
        total = self.graph.node("Add", terms, f"{output}.sum")
        return self._quantised(total, output, *self._step(output, relu=True))

    def numbers(self, source: str) -> str:
        return self._numbers(source, "final")

    def _step(self, name: str, *, relu: bool) -> tuple[float, int]:
        """Scale and zero of a value's bytes, from its range; zero itself is always exact."""
        low, high = self._ranges[name]
        low, high = (0.0 if relu else min(low, 0.0)), max(high, 1e-6)
        scale = (high - low) / 255
        return scale, round(-low / scale)

    def _keep(self, name: str, scale: float, zero: int) -> None:
        self._scales[name] = scale, zero

    def _quantised(self, source: str, output: str, scale: float, zero: int) -> str:
        self._keep(output, scale, zero)
        parameters = [
            self.graph.parameter(f"{output}.scale", np.array(scale, np.float32)),
            self.graph.parameter(f"{output}.zero", np.array(zero, np.uint8)),
        ]
        return self.graph.node("QuantizeLinear", [source, *parameters], output)

    def _numbers(self, source: str, user: str) -> str:
        """Bytes as numbers again; each user has its own, so that the runtime can join them."""
        scale, zero = self._scales[source]
        name = f"{user}<{source}"
        parameters = [
            self.graph.parameter(f"{name}.scale", np.array(scale, np.float32)),
            self.graph.parameter(f"{name}.zero", np.array(zero, np.uint8)),
        ]
        return self.graph.node("DequantizeLinear", [source, *parameters], name)

    def _dequantised(self, name: str, whole: npt.NDArray[Any], step: npt.NDArray[Any], zero: npt.NDArray[Any]) -> str:
        inputs = [
            self.graph.parameter(f"{name}.whole", whole),
            self.graph.parameter(f"{name}.scale", step.astype(np.float32)),
            self.graph.parameter(f"{name}.zero", zero),
        ]
        return self.graph.node("DequantizeLinear", inputs, name, axis=0)


def pool_and_widen(inputs: int, outputs: int) -> Convolution:
    """Average pooling 2×2 with stride 2 and zero channels appended, as one convolution.

    dlib adds tensors of different depth as if the smaller one had zero channels; a convolution keeps ONNX Runtime in
    its blocked layout, where pooling and padding would leave it.
    """
    filters = np.zeros((outputs, inputs, 2, 2), dtype=np.float32)
    for channel in range(inputs):
        filters[channel, channel] = 0.25
    return Convolution(filters, np.zeros(outputs, dtype=np.float32), stride=2, padding=0)


def fold_normalisation(stem: Convolution, mean_rgb: tuple[float, float, float]) -> Convolution:
    """Fold ``(x − mean) / 256`` into the first convolution."""
    filters = stem.filters.astype(np.float64) / 256.0
    shift = (filters * np.asarray(mean_rgb)[None, :, None, None]).sum(axis=(1, 2, 3))
    return Convolution(filters.astype(np.float32), (stem.biases - shift).astype(np.float32), stem.stride, stem.padding)


def assemble(writer: _Writer, weights: ResnetWeights) -> list[str]:
    """Write all layers from pixels to embeddings.

    Returns:
        Names of the activations whose ranges an 8-bit network needs.
    """
    layers = iter(weights.convolutions)
    stem = fold_normalisation(next(layers), weights.mean_rgb)
    value = writer.convolution(writer.planes(_INPUT), "stem", stem, relu=True)
    value = writer.max_pool(value, "stem.pool")
    names = ["stem"]
    side = ((INPUT_SIZE - 7) // 2 + 1 - 3) // 2 + 1
    channels = stem.filters.shape[0]
    for number, stage in enumerate(STAGES):
        for block in range(stage.blocks):
            name = f"stage{number}.block{block}"
            inner = writer.convolution(value, f"{name}.a", next(layers), relu=True)
            outer = writer.convolution(inner, f"{name}.b", next(layers), relu=False)
            names += [f"{name}.a", f"{name}.b", name]
            if stage.halves and block == 0:
                value = writer.convolution(value, f"{name}.short", pool_and_widen(channels, stage.width), relu=False)
                names.append(f"{name}.short")
                conv_side, side, channels = (side - 3) // 2 + 1, side // 2, stage.width
                if conv_side < side:  # dlib adds as if the smaller one had zero rows and columns at its end
                    outer = writer.grow(outer, f"{name}.b.grown", side - conv_side)
            value = writer.add(outer, value, name)
    graph = writer.graph
    pooled = graph.node("GlobalAveragePool", [writer.numbers(value)], "pooled")
    flat = graph.node("Flatten", [pooled], "pooled.flat")
    graph.node("MatMul", [flat, graph.parameter("projection", weights.projection)], "embeddings")
    return names


def write_onnx(
    weights: ResnetWeights,
    path: Path,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    watched: bool = False,
) -> list[str]:
    """Write the network.

    Args:
        weights: the parameters.
        path: written whole; the caller makes it atomic.
        ranges: of activations; given, the network is written in 8 bits.
        watched: give every activation whose range matters as an output too.

    Returns:
        Names of those activations.
    """
    writer: _Writer = FloatWriter() if ranges is None else ByteWriter(ranges)
    names = assemble(writer, weights)
    graph, onnx = writer.graph, writer.graph.onnx
    make, number = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    outputs = [make("embeddings", number, ["m", DIMENSION])]
    if watched:
        outputs += [make(name, number, [None] * 4) for name in names]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "dlib-resnet",
            [make(_INPUT, onnx.TensorProto.UINT8, ["m", INPUT_SIZE, INPUT_SIZE, 3])],
            outputs,
            graph.parameters,
        ),
        producer_name="sameface",
        producer_version=str(CONVERTER_VERSION),
        ir_version=_IR,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return names

"""dlib's face recognition ResNet as an ONNX network that takes raw pixels.

Input ``crops_rgb`` uint8 ``(m, 150, 150, 3)``, output ``embeddings`` float32 ``(m, 128)``. Everything up to the first
convolution is
folded into it: ``(x − mean) / 256`` is exact there because nothing is padded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sameface.models.dlib_resnet import CONVERTER_VERSION, DIMENSION, INPUT_SIZE, STAGES, Convolution, ResnetWeights

_OPSET, _IR = 17, 9


class _Graph:
    """Collects nodes and parameters."""

    def __init__(self) -> None:
        import onnx

        self._onnx = onnx
        self.nodes: list[Any] = []
        self.parameters: list[Any] = []

    def parameter(self, name: str, values: npt.NDArray[Any]) -> str:
        self.parameters.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self._onnx.helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, source: str, output: str, layer: Convolution) -> str:
        inputs = [
            source,
            self.parameter(f"{output}.filters", layer.filters),
            self.parameter(f"{output}.biases", layer.biases),
        ]
        return self.node(
            "Conv",
            inputs,
            output,
            kernel_shape=list(layer.filters.shape[2:]),
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
        )


def pool_and_widen(inputs: int, outputs: int) -> Convolution:
    """Average pooling 2×2 with stride 2 and zero channels appended, as one convolution.

    dlib adds tensors of different depth as if the smaller one had zero channels; a convolution keeps ONNX Runtime in
    its
    blocked layout, where pooling and padding would leave it.
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


def write_onnx(weights: ResnetWeights, path: Path) -> None:
    """Write the network.

    Args:
        weights: the parameters.
        path: written whole; the caller makes it atomic.
    """
    import onnx

    graph = _Graph()
    layers = iter(weights.convolutions)
    pixels = graph.node("Cast", ["crops_rgb"], "pixels", to=onnx.TensorProto.FLOAT)
    planes = graph.node("Transpose", [pixels], "planes", perm=[0, 3, 1, 2])
    stem = graph.convolution(planes, "stem", fold_normalisation(next(layers), weights.mean_rgb))
    value = graph.node("Relu", [stem], "stem.relu")
    value = graph.node("MaxPool", [value], "stem.pool", kernel_shape=[3, 3], strides=[2, 2])
    side = ((INPUT_SIZE - 7) // 2 + 1 - 3) // 2 + 1
    channels = weights.convolutions[0].filters.shape[0]
    for number, stage in enumerate(STAGES):
        for block in range(stage.blocks):
            name = f"stage{number}.block{block}"
            halves = stage.halves and block == 0
            inner = graph.node("Relu", [graph.convolution(value, f"{name}.a", next(layers))], f"{name}.a.relu")
            outer = graph.convolution(inner, f"{name}.b", next(layers))
            if halves:
                value = graph.convolution(value, f"{name}.short", pool_and_widen(channels, stage.width))
                conv_side, side, channels = (side - 3) // 2 + 1, side // 2, stage.width
                if conv_side < side:  # dlib adds as if the smaller one had zero rows and columns at its end
                    missing = side - conv_side
                    pads = graph.parameter(
                        f"{name}.pads", np.array([0, 0, 0, 0, 0, 0, missing, missing], dtype=np.int64)
                    )
                    outer = graph.node("Pad", [outer, pads], f"{name}.b.padded")
            value = graph.node("Relu", [graph.node("Add", [outer, value], f"{name}.sum")], f"{name}.relu")
    value = graph.node("GlobalAveragePool", [value], "pooled")
    value = graph.node("Flatten", [value], "pooled.flat")
    graph.node("MatMul", [value, graph.parameter("projection", weights.projection)], "embeddings")
    make = onnx.helper.make_tensor_value_info
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "dlib-resnet",
            [make("crops_rgb", onnx.TensorProto.UINT8, ["m", INPUT_SIZE, INPUT_SIZE, 3])],
            [make("embeddings", onnx.TensorProto.FLOAT, ["m", DIMENSION])],
            graph.parameters,
        ),
        producer_name="sameface",
        producer_version=str(CONVERTER_VERSION),
        ir_version=_IR,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())

"""MTCNN's three networks as ONNX, rewritten so that ONNX Runtime keeps its fast memory layout.

Input ``image``: ``(n, h, w, 3)`` uint8 RGB; h = w = 24 and 48 for the refining and the output network. Outputs:
``face``, the logit of "a face" ``(n, 1, rows, columns)``; ``box``, offsets of the four edges as shares of the window
``(n, 4, rows, columns)``; and for ``onet`` ``points``, x of five points and then y, as shares ``(n, 10, 1, 1)``.

A PReLU takes ONNX Runtime out of its blocked layout and costs more than the convolution before it. It is written as
what that layout has (exactly the same function):

- ``prelu(x) = relu((1 − s) x) + s x`` where no slope s is above 1: two convolutions, the second adding onto the first;
- ``prelu(x) = relu(x) − s relu(−x)`` otherwise: one convolution twice as wide, then one of 1 × 1;
- before a linear head, the head itself takes ``x`` and ``relu(x)`` apart.

Source: Zhang et al. 2016; the layers of the package mtcnn 1.0.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Wide = npt.NDArray[np.float64]


def write_onnx(name: str, arrays: Sequence[Array], path: Path) -> None:
    """Write ``pnet``, ``rnet`` or ``onet`` from its Keras arrays, in the order of its layers."""
    import onnx

    onnx.save({"pnet": _pnet, "rnet": _rnet, "onet": _onet}[name](iter(arrays)), path)


class _Layer:
    """A convolution: ``filters`` (outputs, inputs, rows, columns), ``bias``."""

    def __init__(self, filters: Wide, bias: Wide) -> None:
        self.filters, self.bias = filters, bias

    def scaled(self, by: Wide) -> _Layer:
        return _Layer(self.filters * by[:, None, None, None], self.bias * by)


def _convolution(w: Iterator[Array]) -> _Layer:
    kernel_hwio, bias = next(w).astype(np.float64), next(w).astype(np.float64)
    return _Layer(kernel_hwio.transpose(3, 2, 0, 1), bias)


def _first_convolution(w: Iterator[Array]) -> _Layer:
    """With ``(x − 127.5) / 128`` folded in: exact, since nothing is padded."""
    layer = _convolution(w)
    filters = layer.filters / 128
    return _Layer(filters, layer.bias - 127.5 * filters.sum(axis=(1, 2, 3)))


def _dense(w: Iterator[Array], side: int) -> _Layer:
    """A fully connected layer as a convolution over its whole input; the rows come in (w, h, c) order."""
    matrix, bias = next(w).astype(np.float64), next(w).astype(np.float64)
    inputs = matrix.shape[0] // (side * side)
    return _Layer(matrix.reshape(side, side, inputs, -1).transpose(3, 2, 1, 0), bias)


def _face_logit(layer: _Layer) -> _Layer:
    """Of two classes, second against first: softmax is the logistic function of the difference."""
    return _Layer(layer.filters[1:] - layer.filters[:1], layer.bias[1:] - layer.bias[:1])


class _Graph:
    """Collects nodes and weights; each call appends and returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        x = self._add("Transpose", ["image"], perm=[0, 3, 1, 2])
        self.image = self._add("Cast", [x], to=1)  # 1: float32

    def _add(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _weight(self, array: Wide) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def conv(self, x: str, layer: _Layer, output: str = "") -> str:
        return self._add("Conv", [x, self._weight(layer.filters), self._weight(layer.bias)], output)

    def conv_prelu(self, x: str, layer: _Layer, slope: Wide) -> str:
        if slope.max() <= 1:
            bent = self._add("Relu", [self.conv(x, layer.scaled(1 - slope))])
            return self._add("Add", [self.conv(x, layer.scaled(slope)), bent])
        both = _Layer(np.concatenate([layer.filters, -layer.filters]), np.concatenate([layer.bias, -layer.bias]))
        parts = self._add("Relu", [self.conv(x, both)])
        join = np.concatenate([np.eye(len(slope)), -np.diag(slope)], axis=1)[..., None, None]
        return self.conv(parts, _Layer(join, np.zeros(len(slope))))

    def prelu_heads(self, x: str, slope: Wide, heads: dict[str, _Layer]) -> None:
        """A PReLU and the linear outputs behind it."""
        bent = self._add("Relu", [x])
        for name, head in heads.items():
            across = slope[None, :, None, None]
            straight = self.conv(x, _Layer(head.filters * across, head.bias))
            kinked = self._add("Conv", [bent, self._weight(head.filters * (1 - across))])
            self._add("Add", [straight, kinked], name)

    def pool(self, x: str, size: int, *, same: bool) -> str:
        """Stride 2. Keras' ``same`` pads at the bottom and right: what rounding up the output's size does too."""
        return self._add("MaxPool", [x], kernel_shape=[size, size], strides=[2, 2], ceil_mode=int(same))

    def model(self, name: str, size: int | None, outputs: list[str]) -> Any:
        from onnx import TensorProto, helper

        image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", size or "h", size or "w", 3])
        results = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs]
        graph = helper.make_graph(self.nodes, name, [image], results, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _slope(w: Iterator[Array]) -> Wide:
    return next(w).astype(np.float64).ravel()


def _pnet(w: Iterator[Array]) -> Any:
    g = _Graph()
    x = g.pool(g.conv_prelu(g.image, _first_convolution(w), _slope(w)), 2, same=True)
    x = g.conv_prelu(x, _convolution(w), _slope(w))
    x, slope = g.conv(x, _convolution(w)), _slope(w)
    box, face = _convolution(w), _face_logit(_convolution(w))
    g.prelu_heads(x, slope, {"face": face, "box": box})
    return g.model("pnet", None, ["face", "box"])


def _head(w: Iterator[Array]) -> _Layer:
    matrix, bias = next(w).astype(np.float64), next(w).astype(np.float64)
    return _Layer(matrix.T[..., None, None], bias)


def _rnet(w: Iterator[Array]) -> Any:
    g = _Graph()
    x = g.pool(g.conv_prelu(g.image, _first_convolution(w), _slope(w)), 3, same=True)
    x = g.pool(g.conv_prelu(x, _convolution(w), _slope(w)), 3, same=False)
    x = g.conv_prelu(x, _convolution(w), _slope(w))
    x, slope = g.conv(x, _dense(w, 3)), _slope(w)
    box, face = _head(w), _face_logit(_head(w))
    g.prelu_heads(x, slope, {"face": face, "box": box})
    return g.model("rnet", 24, ["face", "box"])


def _onet(w: Iterator[Array]) -> Any:
    g = _Graph()
    x = g.pool(g.conv_prelu(g.image, _first_convolution(w), _slope(w)), 3, same=True)
    x = g.pool(g.conv_prelu(x, _convolution(w), _slope(w)), 3, same=False)
    x = g.pool(g.conv_prelu(x, _convolution(w), _slope(w)), 2, same=True)
    x = g.conv_prelu(x, _convolution(w), _slope(w))
    x, slope = g.conv(x, _dense(w, 3)), _slope(w)
    box, points, face = _head(w), _head(w), _face_logit(_head(w))
    g.prelu_heads(x, slope, {"face": face, "box": box, "points": points})
    return g.model("onet", 48, ["face", "box", "points"])

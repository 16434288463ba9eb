"""A network that is one chain of convolutions, read into its layers: what SFace is.

``(x − shift) · scale``, then convolutions, each with batch normalisation and PReLU, then one layer over all that is left. Batch
normalisation and the scale are folded into the weights beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError

Wide = npt.NDArray[np.float64]


@dataclass(slots=True)
class Layer:
    """A convolution with its PReLU.

    Attributes:
        filters: ``(outputs, inputs a group, rows, columns)``.
        biases, slopes: ``(outputs,)``.
        attributes: of the convolution: strides, pads, group.
    """

    filters: Wide
    biases: Wide
    slopes: Wide
    attributes: dict[str, Any]

    @property
    def depthwise(self) -> bool:
        """Whether each output sees one input only."""
        return bool(self.filters.shape[1] == 1)


@dataclass(slots=True)
class Chain:
    """A whole network.

    Attributes:
        shift: what is taken from each pixel.
        layers: in their order.
        projection: ``(dimension, channels, places)``: the last layer.
        offset: ``(dimension,)``.
    """

    shift: float
    layers: list[Layer]
    projection: Wide
    offset: Wide

    def rescale(self, number: int, by: Wide) -> None:
        """Divide a layer's outputs by a number for each channel, and multiply in the layer behind it: the same network.

        Where numbers are negative the layer's slopes no longer fit, and the caller corrects them.
        """
        layer = self.layers[number]
        layer.filters /= by[:, None, None, None]
        layer.biases /= by
        self.amplify(number, by)

    def amplify(self, number: int, by: Wide) -> None:
        """Multiply the input channels of the layer behind a layer."""
        if number + 1 == len(self.layers):
            self.projection *= by[None, :, None]
        elif self.layers[number + 1].depthwise:
            self.layers[number + 1].filters *= by[:, None, None, None]
        else:
            self.layers[number + 1].filters *= by[None, :, None, None]


def read_chain(model: Any) -> Chain:
    """Read a network.

    Args:
        model: an ``onnx.ModelProto`` with weights in float32.

    Raises:
        ModelDamagedError: it is no such chain.
    """
    from onnx import helper, numpy_helper

    weights = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    shift, scale = 0.0, 1.0
    layers: list[Layer] = []
    before: tuple[Wide, Wide] | None = None  # normalisation before the last layer
    projection = offset = None
    for node in model.graph.node:
        given = [weights[name].astype(np.float64) for name in node.input if name in weights]
        said = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        match node.op_type:
            case "Sub" if not layers:
                shift = float(given[0].ravel()[0])
            case "Mul" if not layers:
                scale = float(given[0].ravel()[0])
            case "Conv" if projection is None:
                filters = given[0] * (1.0 if layers else scale)
                bias = given[1] if len(given) > 1 else np.zeros(len(filters))
                layers.append(Layer(filters, bias, np.ones(len(filters)), said))
            case "PRelu" if layers and projection is None:
                layers[-1].slopes = given[0].ravel()
            case "BatchNormalization":
                gain, offsets = _normalisation(given, said["epsilon"])
                if projection is not None and offset is not None:
                    projection, offset = projection * gain[:, None, None], offset * gain + offsets
                elif bool((layers[-1].slopes == 1).all()):
                    layers[-1].filters = layers[-1].filters * gain[:, None, None, None]
                    layers[-1].biases = layers[-1].biases * gain + offsets
                else:
                    before = gain, offsets
            case "Gemm" if projection is None and said.get("transB") == 1:
                channels = len(layers[-1].biases)
                projection, offset = given[0].reshape(len(given[0]), channels, -1), given[1]
                if before is not None:
                    offset = offset + (projection * before[1][None, :, None]).sum(axis=(1, 2))
                    projection = projection * before[0][None, :, None]
            case "Dropout" | "Flatten" | "Constant" | "Identity":
                pass
            case other:
                raise _no_chain(other)
    if projection is None or offset is None:
        raise _no_chain("no last layer")
    return Chain(shift, layers, projection, offset)


def _normalisation(given: list[Wide], epsilon: float) -> tuple[Wide, Wide]:
    """Batch normalisation as ``gain · x + offset``."""
    gamma, beta, mean, variance = given
    gain = gamma / np.sqrt(variance + epsilon)
    return gain, beta - mean * gain


def _no_chain(got: str) -> ModelDamagedError:
    return ModelDamagedError(
        expected="a chain of convolutions with batch normalisation and PReLU, and one layer at its end",
        got=got,
        advice="use the float32 encoder",
    )


def turn_steep_slopes(chain: Chain) -> None:
    """Make every slope 1 at most, in place: the same network.

    With y = −x, ``prelu(x)`` of slope s is ``−s max(y, y / s)`` for s above 1: the sign goes into the layer, −s into the next.
    """
    for number, layer in enumerate(chain.layers):
        steep = layer.slopes > 1
        if steep.any():
            chain.rescale(number, np.where(steep, -1.0, 1.0))
            chain.amplify(number, np.where(steep, layer.slopes, 1.0))
            layer.slopes = np.where(steep, 1 / layer.slopes, layer.slopes)

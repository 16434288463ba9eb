"""MiniFASNet: from its publisher's state dict to ONNX, once. No PyTorch is needed.

Input ``image``: ``(n, 80, 80, 3)`` uint8 RGB. Output ``kinds``: ``(n, 3)`` float32, how likely each of three kinds is: a flat picture, a
living face, another presentation.

The network is MobileFaceNet made narrow: convolutions, each with batch normalisation and most with PReLU; in groups of three (1 × 1, depthwise
3 × 3, 1 × 1) added onto their input; in V1SE the last group of each stage weighs its channels first ("squeeze and excitation"). Normalisations
are folded into the convolutions before them, and the last three linear layers are one.

Source: the published code of Silent-Face-Anti-Spoofing (Minivision, Apache-2.0); parity in tests/models/test_minifasnet.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError
from sameface.models.cache import cached
from sameface.models.card import ModelCard
from sameface.models.registry import locate
from sameface.models.torch_state import read_state
from sameface.progress import Share

State = Mapping[str, npt.NDArray[Any]]
Wide = npt.NDArray[np.float64]

SIDE: Final = 80
#: Raise when what is written changes: it is part of the cached file's name.
_VERSION: Final = 1
_EPSILON: Final = 1e-5  # PyTorch's, in batch normalisation
_STAGES: Final = (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2))


def minifasnet_network(card: ModelCard) -> Path:
    """The ONNX file of a card, converted when it is first asked for.

    Raises:
        ModelMissingError, ModelDamagedError: the weights are not on this machine, or are others.
    """

    def convert(target: Path, announced: Share) -> None:
        (source,) = locate(card)
        write_onnx(read_state(source.read_bytes(), source.name), target, name=source.name)

    return cached(f"{card.id}-{card.sha256[:16]}-v{_VERSION}.onnx", convert, what=card.id)


def write_onnx(state: State, target: Path, *, name: str) -> None:
    """Write the network of a state dict.

    Raises:
        ModelDamagedError: its layers are not those of MiniFASNet.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph({key.removeprefix("module."): value for key, value in state.items()})
    try:
        out = graph.whole()
    except (KeyError, ValueError, IndexError) as error:
        raise ModelDamagedError(
            expected=f"the layers of MiniFASNet in {name}",
            got=str(error)[:200],
            advice="give the file that the card pins",
        ) from error
    made = helper.make_graph(
        graph.nodes,
        "minifasnet",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, ["n", 3])],
        graph.weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, target)


class _Graph:
    """Collects nodes and weights; each step appends and returns its output's name."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def whole(self) -> str:
        x = self._add("Transpose", ["image"], perm=[0, 3, 1, 2])
        x = self._add("Cast", [x], to=1)  # 1: float32
        x = self._block("conv1", x, stride=2, pad=1, blue_first=True)
        x = self._block("conv2_dw", x, pad=1)
        for entry, stage, count in _STAGES:
            x = self._group(entry, x, stride=2)
            for number in range(count):
                x = self._residual(f"{stage}.model.{number}", x)
        x = self._block("conv_6_sep", x)
        x = self._block("conv_6_dw", x)
        x = self._add("Flatten", [x])
        x = self._add("Gemm", [x, *self._head()])
        return self._add("Softmax", [x], "kinds", axis=1)

    def _residual(self, place: str, x: str) -> str:
        inner = self._group(place, x)
        if f"{place}.se_module.fc1.weight" in self.state:
            inner = self._add("Mul", [inner, self._channel_weights(f"{place}.se_module", inner)])
        return self._add("Add", [x, inner])

    def _group(self, place: str, x: str, stride: int = 1) -> str:
        x = self._block(f"{place}.conv", x)
        x = self._block(f"{place}.conv_dw", x, stride=stride, pad=1)
        return self._block(f"{place}.project", x)

    def _channel_weights(self, place: str, x: str) -> str:
        x = self._add("GlobalAveragePool", [x])
        x = self._add("Relu", [self._convolution(f"{place}.fc1", f"{place}.bn1", x)])
        return self._add("Sigmoid", [self._convolution(f"{place}.fc2", f"{place}.bn2", x)])

    def _block(self, place: str, x: str, *, stride: int = 1, pad: int = 0, blue_first: bool = False) -> str:
        x = self._convolution(f"{place}.conv", f"{place}.bn", x, stride=stride, pad=pad, blue_first=blue_first)
        slope = self.state.get(f"{place}.prelu.weight")
        return x if slope is None else self._add("PRelu", [x, self._weight(slope.reshape(-1, 1, 1))])

    def _convolution(
        self, place: str, normalisation: str, x: str, *, stride: int = 1, pad: int = 0, blue_first: bool = False
    ) -> str:
        filters = self.state[f"{place}.weight"].astype(np.float64)
        if blue_first:  # the network wants blue, green, red; what comes in is red, green, blue
            filters = filters[:, ::-1]
        scale, shift = self._normalisation(normalisation)
        rows, columns = filters.shape[2:]
        return self._add(
            "Conv",
            [x, self._weight(filters * scale[:, None, None, None]), self._weight(shift)],
            kernel_shape=[rows, columns],
            strides=[stride, stride],
            pads=[pad] * 4,
            group=len(filters) if filters.shape[1] == 1 else 1,
        )

    def _normalisation(self, place: str) -> tuple[Wide, Wide]:
        """Batch normalisation as ``scale · x + shift``."""
        names = ("weight", "bias", "running_mean", "running_var")
        gain, offset, mean, variance = (self.state[f"{place}.{name}"].astype(np.float64) for name in names)
        scale = gain / np.sqrt(variance + _EPSILON)
        return scale, offset - mean * scale

    def _head(self) -> list[str]:
        """The linear layer, its normalisation and the classifier: one matrix (512, 3) and what is added."""
        scale, shift = self._normalisation("bn")
        kinds = self.state["prob.weight"].astype(np.float64)
        matrix = kinds @ (scale[:, None] * self.state["linear.weight"].astype(np.float64))
        return [self._weight(matrix.T), self._weight(kinds @ shift)]

    def _add(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _weight(self, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

"""A network of ONNX as a module of PyTorch: the same graph, its weights as parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sameface.errors import TrainingError
from sameface.training.from_onnx.operators import OPERATORS

#: Which inputs of an operator are weights that descent changes. Every other constant stays as it is.
WEIGHTS: Final[Mapping[str, tuple[int, ...]]] = {
    "Conv": (1, 2),
    "Gemm": (1, 2),
    "MatMul": (0, 1),
    "PRelu": (1,),
    "BatchNormalization": (1, 2),
}
#: Mean and variance of a batch normalisation: they follow the batches, unless they are frozen.
STATISTICS: Final = (3, 4)
#: Operators that begin a layer; what follows, up to the next, belongs to it.
LAYERS: Final = frozenset({"Conv", "Gemm", "MatMul"})
#: How fast statistics follow: a share of each batch.
MOMENTUM: Final = 0.1
#: What ONNX adds to a variance unless a file says otherwise.
EPSILON: Final = 1e-5


@dataclass(frozen=True)
class Node:
    """One step of the graph.

    Attributes:
        kind: ONNX's operator.
        inputs: names; "" where one is left out.
        output: the name of what it gives; further outputs are never used.
        attributes: its settings.
        layer: the layer it belongs to: how many of `LAYERS` with weights came before, or it is one.
        last_use: names that no later node needs.
        norm: of a convolution, the batch normalisation that alone takes its output, and is done along with it.
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]
    layer: int
    last_use: tuple[str, ...] = ()
    norm: Node | None = None


class OnnxNetwork(nn.Module):
    """Runs an ONNX graph in PyTorch, so that its weights can be trained.

    Args:
        model: an ``onnx.ModelProto`` with one input, in float32.
        output: name of the output to give; None takes the first.
        freeze: layers from the picture on that stay as they are, batch normalisation included.
        norms_frozen: batch normalisation keeps its statistics, and uses them in training too. Its scale and shift are trained.

    Attributes:
        layers: how many layers with weights there are.

    Raises:
        TrainingError: an operator that is not known here, or several inputs.
    """

    def __init__(self, model: Any, *, output: str | None = None, freeze: int = 0, norms_frozen: bool = True) -> None:
        super().__init__()
        graph = model.graph
        stored = {item.name: _tensor(item) for item in graph.initializer}
        inputs = [item.name for item in graph.input if item.name not in stored]
        _check(model, inputs)
        for node in graph.node:
            if node.op_type == "Constant":
                stored[node.output[0]] = _constant(node)
        self._input, self._output = inputs[0], output or graph.output[0].name
        nodes = tuple(_nodes(graph, stored, self._output))
        self._nodes = joined_norms(nodes, stored, self._output)
        self.layers = max((node.layer for node in nodes), default=-1) + 1
        self.freeze, self.norms_frozen = freeze, norms_frozen
        #: Name in the file → what it is, and the first layer that uses it.
        self._roles = _roles(nodes, stored)
        self._keys: dict[str, str] = {}
        self._whole: dict[str, Tensor] = {}  # shapes and axes: numbers for Python, never on a GPU
        for number, (name, (role, layer)) in enumerate(self._roles.items()):
            value = stored[name]
            if not value.is_floating_point():
                self._whole[name] = value
                continue
            self._keys[name] = f"v{number}"
            if role == "weight":
                self.register_parameter(f"v{number}", nn.Parameter(value, requires_grad=layer >= freeze))
            else:
                self.register_buffer(f"v{number}", value)

    def forward(self, pictures: Tensor) -> Tensor:
        """What the file's input takes to what its output gives."""
        values: dict[str, Tensor | None] = {"": None, self._input: pictures}
        values |= self._whole
        values |= {name: getattr(self, key) for name, key in self._keys.items()}
        for node in self._nodes:
            given = [values[name] for name in node.inputs]
            if node.norm is not None:
                parts = [values[name] for name in node.norm.inputs[1:]]
                values[node.output] = self._joined(node, node.norm, given, parts)
            elif node.kind == "BatchNormalization":
                values[node.output] = self._normalised(node, *given)
            else:
                values[node.output] = OPERATORS[node.kind](node.attributes, *given)
            for name in node.last_use:
                del values[name]
        answer = values[self._output]
        assert answer is not None
        return answer

    def _normalised(self, node: Node, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Tensor:
        epsilon = node.attributes.get("epsilon", EPSILON)
        return functional.batch_norm(x, mean, variance, scale, shift, self._moves(node), MOMENTUM, epsilon)

    def _joined(self, node: Node, norm: Node, given: list[Any], parts: list[Any]) -> Tensor:
        """A convolution with the normalisation behind it: with fixed statistics that is one convolution of other weights, and much cheaper."""
        if self._moves(norm):
            return self._normalised(norm, OPERATORS[node.kind](node.attributes, *given), *parts)
        scale, shift, mean, variance = parts
        factor = scale * (variance + norm.attributes.get("epsilon", EPSILON)).rsqrt()
        bias = shift - mean * factor if len(given) < 3 or given[2] is None else shift + (given[2] - mean) * factor
        return OPERATORS[node.kind](node.attributes, given[0], given[1] * factor.view(-1, 1, 1, 1), bias)

    def _moves(self, node: Node) -> bool:
        """Whether a batch normalisation goes by its batch, and its statistics follow."""
        return self.training and not self.norms_frozen and node.layer >= self.freeze

    def by_layer(self) -> Iterator[tuple[int, nn.Parameter]]:
        """Each weight with its layer, 0 next to the picture."""
        for name, (role, layer) in self._roles.items():
            if role == "weight":
                yield layer, getattr(self, self._keys[name])

    def named_values(self) -> Iterator[tuple[str, Tensor]]:
        """What training may change, weights and statistics, by their names in the file."""
        for name, (role, _) in self._roles.items():
            if role in {"weight", "statistic"}:
                yield name, getattr(self, self._keys[name])


def _check(model: Any, inputs: list[str]) -> None:
    kinds = Counter(node.op_type for node in model.graph.node)
    known = {*OPERATORS, "Constant", "BatchNormalization"}
    foreign = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if unknown := sorted(set(kinds) - known):
        quantised = any("Linear" in kind or "Integer" in kind for kind in unknown)
        raise TrainingError(
            expected="a network of operators that can be trained here",
            got=", ".join(unknown),
            advice="take the encoder in float32, not in 8 bits" if quantised else "fine-tune another encoder",
        )
    if foreign or len(inputs) != 1:
        raise TrainingError(
            expected="ONNX's own operators, and one input",
            got=", ".join(sorted(foreign)) or f"{len(inputs)} inputs",
            advice="export the network again",
        )


def _tensor(item: Any) -> Tensor:
    from onnx import numpy_helper

    return torch.from_numpy(np.array(numpy_helper.to_array(item)))  # a copy that may be written to


def _constant(node: Any) -> Tensor:
    from onnx import helper

    (attribute,) = node.attribute
    value = helper.get_attribute_value(attribute)
    return _tensor(value) if attribute.name == "value" else torch.tensor(value)


def _nodes(graph: Any, stored: Mapping[str, Tensor], output: str) -> Iterator[Node]:
    """The nodes in order, without what the output does not need."""
    from onnx import helper

    kept, needed = [], {output}
    for node in reversed(graph.node):
        if node.op_type != "Constant" and needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    last: dict[str, int] = {}
    for place, node in enumerate(reversed(kept)):
        last |= {name: place for name in node.input if name and name not in stored and name != output}
    layer = -1
    for place, node in enumerate(reversed(kept)):
        weights = WEIGHTS.get(node.op_type, ())
        if node.op_type in LAYERS and any(name in stored for name in _at(node.input, weights)):
            layer += 1
        attributes = {item.name: _plain(helper.get_attribute_value(item)) for item in node.attribute}
        over = tuple(dict.fromkeys(name for name in node.input if last.get(name) == place))
        yield Node(node.op_type, tuple(node.input), node.output[0], attributes, max(layer, 0), over)


def joined_norms(nodes: tuple[Node, ...], stored: Mapping[str, Tensor], output: str) -> tuple[Node, ...]:
    """The nodes with each batch normalisation joined to the convolution before it, where nothing else takes that one's output."""
    uses = Counter(name for node in nodes for name in node.inputs)
    by = {node.output: node for node in nodes if node.kind == "Conv" and node.inputs[1] in stored}
    norms = {
        node.inputs[0]: node
        for node in nodes
        if node.kind == "BatchNormalization"
        and node.inputs[0] in by
        and uses[node.inputs[0]] == 1
        and node.inputs[0] != output
        and all(name in stored for name in node.inputs[1:])
    }
    joined = {norm.output for norm in norms.values()}
    return tuple(
        replace(node, norm=norms[node.output], output=norms[node.output].output) if node.output in norms else node
        for node in nodes
        if node.output not in joined
    )


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else list(value) if isinstance(value, (list, tuple)) else value


def _at(names: Any, places: tuple[int, ...]) -> list[str]:
    return [names[place] for place in places if place < len(names)]


def _roles(nodes: tuple[Node, ...], stored: Mapping[str, Tensor]) -> dict[str, tuple[str, int]]:
    """What each stored value is, ``weight``, ``statistic`` or ``constant``, and the first layer that uses it."""
    roles: dict[str, tuple[str, int]] = {}
    for node in nodes:
        weights = _at(node.inputs, WEIGHTS.get(node.kind, ()))
        statistics = _at(node.inputs, STATISTICS) if node.kind == "BatchNormalization" else []
        for name in node.inputs:
            if name in stored and stored[name].is_floating_point():
                role = "weight" if name in weights else "statistic" if name in statistics else "constant"
                before, layer = roles.get(name, ("constant", node.layer))
                roles[name] = (role if before == "constant" else before, layer)
            elif name in stored:
                roles[name] = ("constant", node.layer)
    return roles

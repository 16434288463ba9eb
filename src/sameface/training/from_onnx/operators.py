"""The operators that encoders are made of, each as the same function in PyTorch.

Source of every rule: ONNX, *Operator Schemas*, at the operator's name. An operator takes its attributes and its inputs in order; an input that a node
leaves out is None. Batch normalisation is not here: it alone behaves otherwise in training, see `OnnxNetwork`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from sameface.training.from_onnx import reshaping
from sameface.training.from_onnx.leaky import leaky
from sameface.training.from_onnx.windows import average_pool, convolution, max_pool, padded

Attributes = Mapping[str, Any]
Operator = Callable[..., Tensor]


def gemm(attributes: Attributes, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    """``alpha · A · B + beta · C``."""
    left = a.T if attributes.get("transA", 0) else a
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    if attributes.get("transB", 0) and alpha == beta == 1 and (c is None or c.ndim == 1):
        return functional.linear(left, b, c)
    product: Tensor = alpha * (left @ (b.T if attributes.get("transB", 0) else b))
    return product if c is None else product + beta * c


def prelu(attributes: Attributes, x: Tensor, slope: Tensor) -> Tensor:
    """``x`` where it is positive, else ``slope · x``."""
    return leaky(x, slope.to(x.dtype))


def clip(attributes: Attributes, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """Bounds are inputs, or attributes in older files."""
    lowest = attributes.get("min") if low is None else low.item()
    highest = attributes.get("max") if high is None else high.item()
    return x if lowest is None and highest is None else x.clamp(lowest, highest)


def divided(attributes: Attributes, a: Tensor, b: Tensor) -> Tensor:
    """Whole numbers are cut off towards zero."""
    whole = not (a.is_floating_point() or b.is_floating_point())
    return torch.div(a, b, rounding_mode="trunc") if whole else a / b


def softmax(attributes: Attributes, x: Tensor) -> Tensor:
    """Along one axis, the last unless said."""
    return x.softmax(attributes.get("axis", -1))


def local_response(attributes: Attributes, x: Tensor) -> Tensor:
    """Divided by the squares of neighbouring channels."""
    size = attributes["size"]
    squares = functional.pad(x.square(), (0, 0, 0, 0, (size - 1) // 2, size // 2))
    near = squares.unfold(1, size, 1).sum(-1)
    scale = attributes.get("bias", 1.0) + attributes.get("alpha", 1e-4) / size * near
    divided_by: Tensor = scale.pow(attributes.get("beta", 0.75))
    return x / divided_by


def hard_sigmoid(attributes: Attributes, x: Tensor) -> Tensor:
    """``alpha · x + beta``, cut at 0 and 1."""
    alpha, beta = float(attributes.get("alpha", 0.2)), float(attributes.get("beta", 0.5))
    return (alpha * x + beta).clamp(0, 1)


def _plain(function: Callable[..., Tensor]) -> Operator:
    """A function of PyTorch that needs no attributes."""
    return lambda attributes, *inputs: function(*inputs)


def _many(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    """A function of two, over any number of inputs."""

    def over(attributes: Attributes, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = function(first, other)
        return first

    return over


def _over_axes(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operator:
    """A reduction; its axes are an input, or an attribute in older files; all of them unless said."""

    def reduced(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
        given = attributes.get("axes") if axes is None else axes.tolist()
        if not given and attributes.get("noop_with_empty_axes", 0):
            return x
        return function(x, given or list(range(x.ndim)), bool(attributes.get("keepdims", 1)))

    return reduced


OPERATORS: Final[Mapping[str, Operator]] = {
    "Abs": _plain(torch.abs),
    "Add": _plain(torch.add),
    "AveragePool": average_pool,
    "Cast": reshaping.cast,
    "Clip": clip,
    "Concat": reshaping.concat,
    "Conv": convolution,
    "Div": divided,
    "Dropout": lambda attributes, x, *settings: x,  # a file is for use, where nothing is dropped
    "Elu": lambda attributes, x: functional.elu(x, attributes.get("alpha", 1.0)),
    "Exp": _plain(torch.exp),
    "Expand": reshaping.expand,
    "Flatten": reshaping.flatten,
    "Gather": reshaping.gather,
    "Gemm": gemm,
    "GlobalAveragePool": lambda attributes, x: x.mean(dim=tuple(range(2, x.ndim)), keepdim=True),
    "GlobalMaxPool": lambda attributes, x: x.amax(dim=tuple(range(2, x.ndim)), keepdim=True),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": lambda attributes, x: x * (x / 6 + 0.5).clamp(0, 1),
    "Identity": lambda attributes, x: x,
    "LRN": local_response,
    "LeakyRelu": lambda attributes, x: functional.leaky_relu(x, attributes.get("alpha", 0.01)),
    "MatMul": _plain(torch.matmul),
    "Max": _many(torch.maximum),
    "MaxPool": max_pool,
    "Min": _many(torch.minimum),
    "Mul": _plain(torch.mul),
    "Neg": _plain(torch.neg),
    "PRelu": prelu,
    "Pad": padded,
    "Pow": _plain(torch.pow),
    "Reciprocal": _plain(torch.reciprocal),
    "ReduceL2": _over_axes(lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt()),
    "ReduceMax": _over_axes(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "ReduceMean": _over_axes(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "ReduceSum": _over_axes(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "ReduceSumSquare": _over_axes(lambda x, axes, keep: x.square().sum(axes, keepdim=keep)),
    "Relu": _plain(torch.relu),
    "Reshape": reshaping.reshape,
    "Shape": reshaping.shape_of,
    "Sigmoid": _plain(torch.sigmoid),
    "Slice": reshaping.sliced,
    "Softmax": softmax,
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": reshaping.squeeze,
    "Sub": _plain(torch.sub),
    "Sum": _many(torch.add),
    "Tanh": _plain(torch.tanh),
    "Transpose": lambda attributes, x: x.permute(attributes.get("perm") or list(range(x.ndim))[::-1]),
    "Unsqueeze": reshaping.unsqueeze,
}

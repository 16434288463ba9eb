"""Operators that slide a window over a picture: convolution, pooling, and the padding around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from torch import Tensor
from torch.nn import functional

from sameface.errors import TrainingError

Attributes = Mapping[str, Any]
#: Modes of padding, as ONNX and PyTorch call them.
_MODES: Final = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}


def convolution(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Of pictures, in groups or not."""
    _flat(x)
    strides, dilations = attributes.get("strides") or [1, 1], attributes.get("dilations") or [1, 1]
    before, after = _around(attributes, x, weight.shape[2:], strides, dilations)
    if before != after:
        x, before = _pad(x, before, after, 0.0), [0, 0]
    groups = attributes.get("group", 1)
    return functional.conv2d(x, weight, bias, strides, before, dilations, groups)


def max_pool(attributes: Attributes, x: Tensor) -> Tensor:
    """The largest of each window."""
    _flat(x)
    kernel, strides, before, after = _pooling(attributes, x)
    dilations = attributes.get("dilations") or [1, 1]
    x = _pad(x, before, after, float("-inf"))
    return functional.max_pool2d(x, kernel, strides, 0, dilations, ceil_mode=bool(attributes.get("ceil_mode", 0)))


def average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    """The mean of each window; whether padding counts is said by an attribute."""
    _flat(x)
    kernel, strides, before, after = _pooling(attributes, x)
    counted, up = bool(attributes.get("count_include_pad", 0)), bool(attributes.get("ceil_mode", 0))
    if before == after:
        return functional.avg_pool2d(x, kernel, strides, before, up, counted)
    means = functional.avg_pool2d(_pad(x, before, after, 0.0), kernel, strides, 0, up)
    if counted:
        return means
    there = _pad(x.new_ones(1, 1, *x.shape[2:]), before, after, 0.0)
    return means / functional.avg_pool2d(there, kernel, strides, 0, up)


def padded(
    attributes: Attributes,
    x: Tensor,
    pads: Tensor | None = None,
    value: Tensor | None = None,
    axes: Tensor | None = None,
) -> Tensor:
    """Widths before all axes, then behind all axes; an input, or an attribute in older files."""
    widths = attributes["pads"] if pads is None else pads.tolist()
    chosen = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in axes.tolist()]
    before, after = [0] * x.ndim, [0] * x.ndim
    for place, axis in enumerate(chosen):
        before[axis], after[axis] = widths[place], widths[place + len(chosen)]
    mode = _MODES[attributes.get("mode", "constant")]
    filled = attributes.get("value", 0.0) if value is None else value.item()
    return _pad(x, before, after, filled, mode)


def _pad(x: Tensor, before: Sequence[int], after: Sequence[int], value: float, mode: str = "constant") -> Tensor:
    """With widths in the order of the axes; PyTorch wants them from the last axis on."""
    if not any((*before, *after)):
        return x
    pairs = list(zip(before, after, strict=True))
    if mode != "constant":
        pairs = pairs[-2:]  # PyTorch repeats rows and columns, never pictures
    widths = [width for pair in reversed(pairs) for width in pair]
    return functional.pad(x, widths, mode, value if mode == "constant" else None)


def _pooling(attributes: Attributes, x: Tensor) -> tuple[list[int], list[int], list[int], list[int]]:
    kernel = list(attributes["kernel_shape"])
    strides = list(attributes.get("strides") or [1] * len(kernel))
    before, after = _around(attributes, x, kernel, strides, attributes.get("dilations") or [1] * len(kernel))
    return kernel, strides, before, after


def _around(
    attributes: Attributes, x: Tensor, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Padding before and behind each axis of the picture, as said or as ``auto_pad`` works it out."""
    automatic = attributes.get("auto_pad", "NOTSET")
    if automatic in {"NOTSET", ""}:
        pads = list(attributes.get("pads") or [0] * (2 * len(kernel)))
        return pads[: len(kernel)], pads[len(kernel) :]
    if automatic == "VALID":
        return [0] * len(kernel), [0] * len(kernel)
    before, after = [], []
    for side, width, stride, dilation in zip(x.shape[2:], kernel, strides, dilations, strict=True):
        total = max(0, (-(-side // stride) - 1) * stride + (width - 1) * dilation + 1 - side)
        less, more = total // 2, total - total // 2
        before.append(less if automatic == "SAME_UPPER" else more)
        after.append(more if automatic == "SAME_UPPER" else less)
    return before, after


def _flat(x: Tensor) -> None:
    if x.ndim != 4:
        raise TrainingError(
            expected="layers over pictures, (m, c, h, w)",
            got=f"one over {x.ndim} axes",
            advice="fine-tune networks of pictures",
        )

"""Operators that move numbers about, and those that compute with shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sameface.errors import TrainingError

Attributes = Mapping[str, Any]


def cast(attributes: Attributes, x: Tensor) -> Tensor:
    """To another type; wider or narrower floats are what PyTorch's own precision decides."""
    from onnx import helper

    wanted = torch.from_numpy(np.zeros(1, helper.tensor_dtype_to_np_dtype(attributes["to"]))).dtype
    return x if wanted.is_floating_point and x.is_floating_point() else x.to(wanted)


def reshape(attributes: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    """0 keeps a side, −1 takes what is left."""
    sides = [int(side) for side in shape.tolist()]
    if not attributes.get("allowzero", 0):
        sides = [x.shape[place] if side == 0 else side for place, side in enumerate(sides)]
    return x.reshape(sides)


def flatten(attributes: Attributes, x: Tensor) -> Tensor:
    """To two axes."""
    axis = attributes.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    rows = int(torch.tensor(x.shape[:axis]).prod()) if axis else 1
    return x.reshape(rows, -1)


def concat(attributes: Attributes, *parts: Tensor) -> Tensor:
    """One behind the other."""
    return torch.cat(parts, dim=attributes["axis"])


def shape_of(attributes: Attributes, x: Tensor) -> Tensor:
    """The sides as numbers, or some of them."""
    start, end = attributes.get("start", 0), attributes.get("end")
    return torch.tensor(list(x.shape)[start:end], dtype=torch.int64)


def gather(attributes: Attributes, x: Tensor, index: Tensor) -> Tensor:
    """Slices by number along an axis."""
    axis = attributes.get("axis", 0) % x.ndim
    places = index.to(x.device).remainder(x.shape[axis])
    return x.index_select(axis, places.flatten()).reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def expand(attributes: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    """By repeating sides of 1, in both directions."""
    sides = np.broadcast_shapes(tuple(x.shape), tuple(int(side) for side in shape.tolist()))
    return x.expand(sides)


def squeeze(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """Without those sides of 1, or all of them."""
    given = attributes.get("axes") if axes is None else axes.tolist()
    return x.squeeze() if given is None else x.squeeze(tuple(int(axis) for axis in given))


def unsqueeze(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """With sides of 1 at those places of the result."""
    given = attributes["axes"] if axes is None else axes.tolist()
    for axis in sorted(int(axis) % (x.ndim + len(given)) for axis in given):
        x = x.unsqueeze(axis)
    return x


def sliced(
    attributes: Attributes,
    x: Tensor,
    starts: Tensor | None = None,
    ends: Tensor | None = None,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    """Cut along axes, backwards too; where from and to are inputs, or attributes in older files."""
    first = attributes["starts"] if starts is None else starts.tolist()
    last = attributes["ends"] if ends is None else ends.tolist()
    along = attributes.get("axes") if axes is None else axes.tolist()
    by = [1] * len(first) if steps is None else steps.tolist()
    for axis, start, end, step in zip(along or range(len(first)), first, last, by, strict=True):
        if step == 0:
            raise TrainingError(expected="slices with steps", got="a step of 0", advice="export the network again")
        rows = range(x.shape[axis])[start:end:step]
        if step > 0:
            x = x.narrow(axis, rows.start, max(0, rows.stop - rows.start))
            x = x if step == 1 else x[(slice(None),) * (axis % x.ndim) + (slice(None, None, step),)]
        else:
            x = x.index_select(axis, torch.tensor(list(rows), dtype=torch.int64, device=x.device))
    return x

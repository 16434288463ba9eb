"""All distances of a batch to itself, and a stable one for chosen pairs."""

from __future__ import annotations

import torch
from torch import Tensor


def sq_distances_within(embeddings: Tensor) -> Tensor:
    """Squared L2 distance of every embedding to every other.

    Args:
        embeddings: ``(m, d)``.

    Returns:
        ``(m, m)``, symmetric, at least 0, exactly 0 on the diagonal. By ``‖a‖² + ‖b‖² − 2a·b``: memory ``m²``, not
        ``m²d``.

    >>> sq_distances_within(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).tolist()
    [[0.0, 25.0], [25.0, 0.0]]
    """
    products = embeddings @ embeddings.T
    lengths = products.diagonal()
    sq_distances = (lengths[:, None] + lengths[None, :] - 2 * products).clamp(min=0)
    return sq_distances.masked_fill(torch.eye(len(embeddings), dtype=torch.bool, device=embeddings.device), 0)


def sq_distances_between(a: Tensor, b: Tensor) -> Tensor:
    """Squared L2 distance row by row, from the differences themselves (no cancellation).

    Args:
        a, b: ``(m, d)``.

    Returns:
        ``(m,)``.
    """
    return (a - b).square().sum(dim=1)

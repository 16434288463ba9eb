"""Fewer numbers an embedding, at hardly a loss."""

from __future__ import annotations

import torch
from torch import Tensor


def principal_directions(embeddings: Tensor, kept: int) -> Tensor:
    """The directions in which embeddings are longest, from 0 and not from their mean: what is compared is their angle.

    Args:
        embeddings: ``(n, d)``.
        kept: how many directions, at most d.

    Returns:
        ``(kept, d)`` float32 on the CPU, at right angles to each other and of length 1, the strongest first.

    Examples:
        >>> points = torch.tensor([[3.0, 4.0, 0.0], [-3.0, -4.0, 0.0], [0.0, 0.0, 1.0]])
        >>> principal_directions(points, 2).abs()
        tensor([[0.6000, 0.8000, 0.0000],
                [0.0000, 0.0000, 1.0000]])
    """
    exact = embeddings.detach().cpu().double()
    _, vectors = torch.linalg.eigh(exact.T @ exact)
    strongest: Tensor = vectors.flip(1)[:, :kept]
    return strongest.T.float().contiguous()

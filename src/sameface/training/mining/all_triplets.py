"""Every triplet of a batch, summed without being listed."""

from __future__ import annotations

import torch
from torch import Tensor

from sameface.training.mining.triplets import PairsOfBatch


def sum_of_all_triplets(sq_distances: Tensor, labels: Tensor, margin: float) -> tuple[Tensor, int, int]:
    """The triplet loss summed over all triplets, in memory m² instead of m³.

    For one anchor–positive pair the active negatives are those nearer than ``D_ap + α``. With the negatives of an
    anchor sorted, their number c and the sum S of their distances come from one binary search and one running sum,
    and the pair's share of the loss is ``c (D_ap + α) − S``.

    Args:
        sq_distances: ``(m, m)`` squared L2, with a gradient.
        labels: ``(m,)``.
        margin: α.

    Returns:
        The sum (scalar), the number of active triplets, the number of triplets.
    """
    pairs = PairsOfBatch.of(labels)
    infinite = torch.tensor(torch.inf, dtype=sq_distances.dtype, device=sq_distances.device)
    nearest_first, _ = torch.where(pairs.negative, sq_distances, infinite).sort(dim=1)
    running = nearest_first.masked_fill(nearest_first.isinf(), 0).cumsum(dim=1)
    running = torch.cat([torch.zeros_like(running[:, :1]), running], dim=1)
    limits = (sq_distances + margin).contiguous()
    counts = torch.searchsorted(nearest_first.detach().contiguous(), limits.detach())
    counts = torch.where(pairs.positive, counts, 0)
    shares = counts * limits - running.gather(1, counts)
    total = torch.where(pairs.positive, shares, 0).sum()
    considered = int((pairs.positive.sum(dim=1) * pairs.negative.sum(dim=1)).sum())
    return total, int(counts.sum()), considered

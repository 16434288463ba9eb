"""What a miner takes and gives."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Triplets(NamedTuple):
    """Rows of a batch, three by three.

    Attributes:
        anchors, positives, negatives: ``(t,)`` int64 row numbers.
        considered: how many (anchor, positive) pairs or anchors were looked at; the active share is counted against it.
    """

    anchors: Tensor
    positives: Tensor
    negatives: Tensor
    considered: int


class TripletMiner(Protocol):
    """Picks triplets of a batch, in memory of the order of m²."""

    def __call__(self, sq_distances: Tensor, labels: Tensor) -> Triplets:
        """Pick.

        Args:
            sq_distances: ``(m, m)`` squared L2, no gradient.
            labels: ``(m,)`` int64.
        """
        ...


class PairsOfBatch(NamedTuple):
    """Who may be a positive and who a negative of whom.

    Attributes:
        positive: ``(m, m)`` bool, other photos of the same person.
        negative: ``(m, m)`` bool, photos of other people.
    """

    positive: Tensor
    negative: Tensor

    @classmethod
    def of(cls, labels: Tensor) -> PairsOfBatch:
        same = labels[:, None] == labels[None, :]
        return cls(same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~same)

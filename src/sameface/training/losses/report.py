"""What a loss over a batch is and says."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from torch import Tensor


class LossReport(NamedTuple):
    """A loss over one batch, with what it was made of.

    Attributes:
        value: scalar with a gradient.
        active: how many terms (triplets, pairs, photos) were above zero: the ones that still teach something; None where
            the loss does not tell.
        considered: how many terms there were; 0 when the batch holds no usable pair.
    """

    value: Tensor
    active: int | None
    considered: int

    @property
    def active_share(self) -> float:
        """``active / considered``; 0 for an empty batch, NaN where it is not known."""
        if self.active is None:
            return math.nan
        return self.active / self.considered if self.considered else 0.0


class BatchLoss(Protocol):
    """A loss over the embeddings of one batch and the labels of their people; an ``nn.Module`` where it learns
    weights of its own."""

    def __call__(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        """Score a batch.

        Args:
            embeddings: ``(m, d)``.
            labels: ``(m,)`` int64; equal labels mean the same person.
        """
        ...

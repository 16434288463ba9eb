"""Triplet loss.

``L = Σ max(0, ‖f(A) − f(P)‖² − ‖f(A) − f(N)‖² + α)``

A anchor, P another photo of the same person, N a photo of someone else. The distances are squared, so the margin α is a
squared distance too: on unit vectors, where ``‖x − y‖²`` lies in [0, 4], α = 0.2 asks for 5 % of the range.

Source: Schroff, Kalenichenko, Philbin, *FaceNet*, CVPR 2015, equation 3 and section 3.1 (α = 0.2, unit vectors).
"""

from __future__ import annotations

import math
from typing import Final, Literal

import torch
from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.training.distances import sq_distances_between, sq_distances_within
from sameface.training.losses.report import LossReport
from sameface.training.mining import Mining, sum_of_all_triplets, triplet_miner

#: α of the FaceNet paper.
FACENET_MARGIN: Final = 0.2

Reduction = Literal["sum", "mean", "active", "none"]


def triplet_loss(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor,
    *,
    margin: float = FACENET_MARGIN,
    reduction: Reduction = "sum",
) -> Tensor:
    """The formula, over given triplets.

    Args:
        anchors, positives, negatives: ``(t, d)``; row i of the three is one triplet.
        margin: α, a squared distance.
        reduction: ``sum`` is the formula; ``mean`` divides by t; ``active`` divides by the number of triplets above
            zero, so that the step does not shrink as triplets are solved; ``none`` returns the ``(t,)`` terms.

    Returns:
        A scalar, or ``(t,)``; 0 for no triplets.

    >>> a, p, n = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([[-1.0, 0.0]])
    >>> round(float(triplet_loss(a, p, n)), 6), round(float(triplet_loss(a, n, p)), 6)
    (0.0, 2.2)
    """
    terms = (sq_distances_between(anchors, positives) - sq_distances_between(anchors, negatives) + margin).clamp(min=0)
    if reduction == "none":
        return terms
    if reduction == "sum":
        return terms.sum()
    if reduction == "mean":
        return terms.sum() / max(1, len(terms))
    if reduction == "active":
        return terms.sum() / (terms > 0).sum().clamp(min=1)
    raise SettingError(
        expected="reduction sum, mean, active or none",
        got=repr(reduction),
        advice="use active, the trainer's own, when in doubt",
    )


class TripletLoss(nn.Module):
    """Triplet loss over a batch, on the triplets that a miner picks, averaged over the active ones.

    Args:
        margin: α, a squared distance.
        mining: see `sameface.training.mining.Mining`.
        dimension: d of the embeddings, for the miner that needs it.
    """

    def __init__(self, margin: float = FACENET_MARGIN, mining: Mining = "semi-hard", *, dimension: int = 128) -> None:
        super().__init__()
        if not 0 <= margin < math.inf:
            raise SettingError(
                expected="a margin α of 0 or more",
                got=f"{margin:g}",
                advice=f"use {FACENET_MARGIN}, a squared distance",
            )
        self.margin = margin
        self.mining = mining
        self._pick = None if mining == "all" else triplet_miner(mining, margin=margin, dimension=dimension)

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        if self._pick is None:
            total, active, considered = sum_of_all_triplets(sq_distances_within(embeddings), labels, self.margin)
            return LossReport(total / max(1, active), active, considered)
        with torch.no_grad():
            picked = self._pick(sq_distances_within(embeddings), labels)
        if not len(picked.anchors):
            return LossReport(embeddings.sum() * 0, 0, 0)
        terms = triplet_loss(
            embeddings[picked.anchors],
            embeddings[picked.positives],
            embeddings[picked.negatives],
            margin=self.margin,
            reduction="none",
        )
        active = int((terms > 0).sum())
        return LossReport(terms.sum() / max(1, active), active, picked.considered)

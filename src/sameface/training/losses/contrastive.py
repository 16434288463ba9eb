"""Contrastive loss: a learned dimensionality reduction.

``L = ½ s D² + ½ (1 − s) max(0, m − D)²``  with  ``D = ‖f(X₁) − f(X₂)‖``

``s = 1`` means *same person* here; the paper writes Y = 0 for similar pairs, the other way round. D is a plain distance,
so the margin m is one too: on unit vectors, where D lies in [0, 2], m = 1 stops pushing at 60 degrees.

Source: Hadsell, Chopra, LeCun, *Dimensionality Reduction by Learning an Invariant Mapping*, CVPR 2006, equation 4.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.training.distances import sq_distances_between
from sameface.training.losses.report import LossReport

PairMining = Literal["all", "hard"]


def contrastive_loss(distances: Tensor, same: Tensor, *, margin: float = 1.0) -> Tensor:
    """The formula, over given pairs.

    Args:
        distances: ``(p,)`` L2 distances, not squared.
        same: ``(p,)`` bool or 0/1; 1 means the same person.
        margin: m, a distance; pairs of different people beyond it cost nothing.

    Returns:
        ``(p,)`` terms.

    >>> contrastive_loss(torch.tensor([0.5, 0.5, 2.0]), torch.tensor([1, 0, 0])).tolist()
    [0.125, 0.125, 0.0]
    """
    is_same = same.to(distances.dtype)
    return 0.5 * (is_same * distances.square() + (1 - is_same) * (margin - distances).clamp(min=0).square())


class ContrastiveLoss(nn.Module):
    """Contrastive loss over the pairs of a batch.

    The mean over same pairs and the mean over different pairs are added with equal weight: a batch of P people with
    K photos each has about P times more pairs of different people, which would drown the others.

    Args:
        margin: m, a distance.
        mining: ``all`` pairs; ``hard`` keeps, of the pairs of different people, only as many as there are same
            pairs, the nearest first.
    """

    def __init__(self, margin: float = 1.0, mining: PairMining = "all") -> None:
        super().__init__()
        if not 0 < margin < math.inf:
            raise SettingError(
                expected="a margin above 0", got=f"{margin:g}", advice="use 1: on unit vectors distances lie in 0 to 2"
            )
        self.margin = margin
        self.mining = mining

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        first, second = torch.triu_indices(len(labels), len(labels), offset=1, device=labels.device)
        same = labels[first] == labels[second]
        with torch.no_grad():
            products = embeddings @ embeddings.T
            keep = same.clone()
            others = (~same).nonzero().squeeze(1)
            if self.mining == "hard" and int(same.sum()) < len(others):
                lengths = products.diagonal()
                near = lengths[first] + lengths[second] - 2 * products[first, second]
                others = others[near[others].argsort(stable=True)[: int(same.sum())]]
            keep[others] = True
        first, second, same = first[keep], second[keep], same[keep]
        if not len(first):
            return LossReport(embeddings.sum() * 0, 0, 0)
        # The derivative of a square root at 0 is infinite; two equal embeddings must not poison the step.
        distances = (sq_distances_between(embeddings[first], embeddings[second])).clamp(min=1e-24).sqrt()
        terms = contrastive_loss(distances, same, margin=self.margin)
        value = terms[same].sum() / max(1, int(same.sum())) + terms[~same].sum() / max(1, int((~same).sum()))
        return LossReport(value, int((terms > 0).sum()), len(terms))

"""Koch's pairwise cross-entropy: the network says *same* or *different*, pair by pair.

``p = σ(Σⱼ wⱼ |h₁ⱼ − h₂ⱼ| + b)``,  ``L = −s log p − (1 − s) log(1 − p)``,  ``s = 1`` for the same person.

There is no margin: the unit is nats. The distance is a learned weighted L1, not the L2 of galleries: for one-shot
trials compare by `KochLoss.similarity`; an exported encoder of this loss is compared by L2 like any other, which it
was not trained for.

Source: Koch, Zemel, Salakhutdinov, *Siamese Neural Networks for One-shot Image Recognition*, ICML deep learning
workshop 2015, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sameface.training.losses.report import LossReport


def koch_loss(logits: Tensor, same: Tensor) -> Tensor:
    """The formula, over given pairs, computed from logits (no overflow).

    Args:
        logits: ``(p,)`` values before the sigmoid; higher is more alike.
        same: ``(p,)`` bool or 0/1; 1 means the same person.

    Returns:
        ``(p,)`` terms in nats.

    >>> round(float(koch_loss(torch.tensor([0.0]), torch.tensor([1]))), 4)  # ln 2
    0.6931
    """
    return functional.binary_cross_entropy_with_logits(logits, same.to(logits.dtype), reduction="none")


class KochLoss(nn.Module):
    """Pairwise cross-entropy over the pairs of a batch, with learned weights of the distance.

    Same pairs and different pairs count equally, as in the paper's sampling.

    Args:
        dimension: d of the embeddings.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((dimension,), -1.0))
        self.bias = nn.Parameter(torch.zeros(()))

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Logit of *same person*, row by row: ``(p, d)`` and ``(p, d)`` to ``(p,)``."""
        return (a - b).abs() @ self.weight + self.bias

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        first, second = torch.triu_indices(len(labels), len(labels), offset=1, device=labels.device)
        same = labels[first] == labels[second]
        if not len(first):
            return LossReport(embeddings.sum() * 0, 0, 0)
        terms = koch_loss(self.similarity(embeddings[first], embeddings[second]), same)
        value = terms[same].sum() / max(1, int(same.sum())) + terms[~same].sum() / max(1, int((~same).sum()))
        wrong = terms > 0.6931471805599453  # a pair on the wrong side of p = ½
        return LossReport(value / 2, int(wrong.sum()), len(terms))

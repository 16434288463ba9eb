"""A small trainable map on top of embeddings that another network made."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Head(nn.Module):
    """``f(x) = x + B ReLU(A x + a) + b``: starts as the identity, so training can only depart from the pretrained
    embedding.

    Args:
        dimension: d of the embeddings, in and out.
        hidden: width of the one hidden layer.
        dropout: share of hidden units dropped in training.
    """

    def __init__(self, *, dimension: int = 128, hidden: int = 512, dropout: float = 0.0) -> None:
        super().__init__()
        self.expand = nn.Linear(dimension, hidden)
        self.dropout = nn.Dropout(dropout)
        self.contract = nn.Linear(hidden, dimension)
        with torch.no_grad():
            self.contract.weight.zero_()
            self.contract.bias.zero_()

    def forward(self, embeddings: Tensor) -> Tensor:
        """``(m, d)`` to ``(m, d)``."""
        return embeddings + self.contract(self.dropout(self.expand(embeddings).relu()))  # type: ignore[no-any-return]

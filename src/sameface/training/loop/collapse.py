"""Collapse: when a network maps everybody to one point or onto one line, and how to tell in time.

A triplet loss of a network collapsed to a point stands at its margin exactly: ``0 − 0 + α``. The loss alone looks like
slow learning, so three things are watched beside it: how far embeddings spread, how many directions they use, and what
share of triplets is active.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from sameface.errors import TrainingError

#: Spread of unit vectors below which they count as one point: all within about 3 degrees.
LEAST_SPREAD: Final = 0.05
#: Batches in a row that must be below before anything is said: early steps may cross a narrow place.
PATIENCE: Final = 50
#: Directions below which embeddings count as a line, the people in a batch from which on that means something (two people are a
#: line by nature), and reports in a row that must be below.
LEAST_RANK: Final = 1.5
FEWEST_PEOPLE: Final = 6
RANK_PATIENCE: Final = 10


def spread_of(embeddings: Tensor) -> float:
    """How far embeddings lie from their mean: ``√ mean ‖e − ē‖²``, over the mean length of an embedding.

    Args:
        embeddings: ``(m, d)``.

    Returns:
        0 when all are one point; about 1 for directions spread evenly.

    >>> spread_of(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])), spread_of(torch.ones(4, 2))
    (1.0, 0.0)
    """
    centred = embeddings - embeddings.mean(dim=0, keepdim=True)
    length = embeddings.square().sum(dim=1).mean().sqrt()
    return float(centred.square().sum(dim=1).mean().sqrt() / length.clamp(min=1e-12))


def effective_rank(embeddings: Tensor) -> float:
    """How many directions embeddings use: ``exp(−Σ pᵢ ln pᵢ)``, pᵢ the share of the i-th singular value of the centred embeddings.

    Source: Roy, Vetterli, *The effective rank: a measure of effective dimensionality*, EUSIPCO 2007.

    Args:
        embeddings: ``(m, d)``.

    Returns:
        1 when all lie on a line, d when they spread evenly in every direction, 0 when they are one point.

    >>> line = torch.tensor([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    >>> cross = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(effective_rank(line), 3), round(effective_rank(cross), 3)
    (1.0, 2.0)
    """
    centred = (embeddings - embeddings.mean(dim=0, keepdim=True)).double().cpu()
    values = torch.linalg.svdvals(centred)
    values = values[values > values.max() * 1e-9]
    if not len(values):
        return 0.0
    shares = values / values.sum()
    return float((-(shares * shares.log()).sum()).exp())


class CollapseWatch:
    """Counts batches without spread, and reports without rank.

    Args:
        least_spread, patience, least_rank, rank_patience: see the constants.
    """

    def __init__(
        self,
        least_spread: float = LEAST_SPREAD,
        patience: int = PATIENCE,
        least_rank: float = LEAST_RANK,
        rank_patience: int = RANK_PATIENCE,
    ) -> None:
        self._least_spread, self._patience = least_spread, patience
        self._least_rank, self._rank_patience = least_rank, rank_patience
        self._narrow = self._flat = 0

    def see(self, numbers: Mapping[str, float], people: int) -> str | None:
        """Take one batch in.

        Args:
            numbers: its ``loss`` and ``spread``; ``effective_rank`` where it was looked at.
            people: in the batch.

        Returns:
            What to tell the user, once the patience is used up; else None.
        """
        spread = numbers["spread"]
        self._narrow = self._narrow + 1 if spread < self._least_spread else 0
        if self._narrow >= self._patience:
            return (
                f"all embeddings within {spread:.3f} of one point for {self._narrow} steps, "
                f"the loss standing at {numbers['loss']:.3f}"
            )
        rank = numbers.get("effective_rank")
        if rank is None:
            return None
        self._flat = self._flat + 1 if rank < self._least_rank and people >= FEWEST_PEOPLE else 0
        if self._flat >= self._rank_patience:
            return f"all embeddings near one line (effective rank {rank:.2f}) in {self._flat} reports in a row"
        return None


def collapsed(warning: str) -> TrainingError:
    """The error for a training that is ended because of it."""
    return TrainingError(
        expected="embeddings that spread out",
        got=f"a collapse: {warning}",
        advice="lower the learning rate, mine semi-hard instead of hard triplets, or put more people into a batch",
    )

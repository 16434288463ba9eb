"""Collapse: when a network maps everybody to one point, and how to tell in time.

A triplet loss of a collapsed network stands at its margin exactly: ``0 − 0 + α``. The loss alone looks like slow
learning, so two things are watched beside it: how far embeddings spread, and what share of triplets is active.
"""

from __future__ import annotations

from typing import Final

from torch import Tensor

#: Spread of unit vectors below which they count as one point: all within about 3 degrees.
LEAST_SPREAD: Final = 0.05
#: A batch in a row that must be below before anything is said: early steps may cross a narrow place.
PATIENCE: Final = 50


def spread_of(embeddings: Tensor) -> float:
    """How far embeddings lie from their mean: ``√ mean ‖e − ē‖²``, over the mean length of an embedding.

    Args:
        embeddings: ``(m, d)``.

    Returns:
        0 when all are one point; about 1 for directions spread evenly.

    >>> import torch
    >>> spread_of(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])), spread_of(torch.ones(4, 2))
    (1.0, 0.0)
    """
    centred = embeddings - embeddings.mean(dim=0, keepdim=True)
    length = embeddings.square().sum(dim=1).mean().sqrt()
    return float(centred.square().sum(dim=1).mean().sqrt() / length.clamp(min=1e-12))


class CollapseWatch:
    """Counts batches without spread.

    Args:
        least_spread, patience: see the constants.
    """

    def __init__(self, least_spread: float = LEAST_SPREAD, patience: int = PATIENCE) -> None:
        self._least_spread = least_spread
        self._patience = patience
        self._narrow = 0

    def see(self, spread: float, loss: float) -> str | None:
        """Take one batch in.

        Returns:
            What to tell the user, once the patience is used up; else None.
        """
        self._narrow = self._narrow + 1 if spread < self._least_spread else 0
        if self._narrow < self._patience:
            return None
        return (
            f"all embeddings within {spread:.3f} of one point for {self._narrow} steps, the loss standing at {loss:.3f}"
        )

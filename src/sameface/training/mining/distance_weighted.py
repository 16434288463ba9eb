"""Negatives drawn so that every distance is seen equally often."""

from __future__ import annotations

import torch
from torch import Tensor

from sameface.training.mining.triplets import PairsOfBatch, Triplets


class DistanceWeighted:
    """For every anchor–positive pair, a negative drawn with probability ``∝ min(λ, 1 / q(D))``.

    ``q(D) ∝ D^(d−2) (1 − D²/4)^((d−3)/2)`` is the density of distances of points spread evenly on the unit sphere:
    without the weights nearly every draw lies near √2. Needs unit vectors. Source: Wu, Manmatha, Smola, Krähenbühl,
    *Sampling Matters in Deep Embedding Learning*, ICCV 2017, equation 3 and section 4.2 (cut-offs 0.5 and 1.4).

    Args:
        dimension: d of the embeddings, 2 or more. The density is so steep at the paper's and our 128 that most draws are
            among the very nearest.
        nearest: distances below count as this (else noise would be drawn for ever).
        furthest: negatives beyond are not drawn, unless an anchor has no other; they cost nothing.
        generator: where draws come from; None is PyTorch's own state, which the trainer sets at every step.
    """

    def __init__(
        self,
        dimension: int = 128,
        *,
        nearest: float = 0.5,
        furthest: float = 1.4,
        generator: torch.Generator | None = None,
    ) -> None:
        self._dimension = dimension
        self._nearest = nearest
        self._furthest = furthest
        self._generator = generator

    def weights(self, sq_distances: Tensor, labels: Tensor) -> Tensor:
        """``(m, m)`` probabilities; row a sums to 1 over the negatives of anchor a, or to 0 where there are none."""
        pairs = PairsOfBatch.of(labels)
        distances = sq_distances.double().clamp(min=0).sqrt()
        d = self._dimension
        clipped = distances.clamp(self._nearest, min(self._furthest, 1.999))
        log_weights = (2 - d) * clipped.log() + (3 - d) / 2 * (1 - clipped.square() / 4).log()
        drawable = pairs.negative & (distances < self._furthest)
        drawable = torch.where(drawable.any(dim=1, keepdim=True), drawable, pairs.negative)
        log_weights = log_weights.masked_fill(~drawable, -torch.inf)
        has_any = drawable.any(dim=1, keepdim=True)
        return torch.where(has_any, log_weights.softmax(dim=1).nan_to_num(0), 0)

    def __call__(self, sq_distances: Tensor, labels: Tensor) -> Triplets:
        pairs = PairsOfBatch.of(labels)
        probabilities = self.weights(sq_distances, labels).cpu()
        usable = (probabilities.sum(dim=1) > 0).to(labels.device)
        anchors, positives = (pairs.positive & usable[:, None]).nonzero(as_tuple=True)
        if not len(anchors):
            return Triplets(anchors, positives, positives, 0)
        # Row by row through the running sum: memory m², however many positives an anchor has.
        running = probabilities.cumsum(dim=1)
        running = running / running[:, -1:].clamp(min=1e-300)
        draws = torch.rand(len(labels), len(labels), generator=self._generator, dtype=torch.float64)
        chosen = torch.searchsorted(running, draws, right=True).clamp(max=len(labels) - 1).to(labels.device)
        return Triplets(anchors, positives, chosen[anchors, positives], int(pairs.positive.sum()))

"""Hard and semi-hard negatives for every anchor–positive pair; batch-hard for every anchor."""

from __future__ import annotations

import torch
from torch import Tensor

from sameface.training.mining.triplets import PairsOfBatch, Triplets


def hard_triplets(sq_distances: Tensor, labels: Tensor) -> Triplets:
    """For every anchor–positive pair, the nearest photo of anyone else.

    The hardest triplets of all: early in training, and with wrong labels, they invite collapse (FaceNet, section 3.2).
    """
    pairs = PairsOfBatch.of(labels)
    nearest, negatives = sq_distances.masked_fill(~pairs.negative, torch.inf).min(dim=1)
    anchors, positives = (pairs.positive & nearest.isfinite()[:, None]).nonzero(as_tuple=True)
    return Triplets(anchors, positives, negatives[anchors], int(pairs.positive.sum()))


def semi_hard_triplets(sq_distances: Tensor, labels: Tensor, margin: float) -> Triplets:
    """For every anchor–positive pair, the nearest negative that is further than the positive, if it is within the
    margin.

    ``D_ap < D_an < D_ap + α``: right order, too close. A pair without such a negative is left out. Source: FaceNet,
    equation 4.
    """
    pairs = PairsOfBatch.of(labels)
    nearest_first, order = sq_distances.masked_fill(~pairs.negative, torch.inf).sort(dim=1, stable=True)
    place = torch.searchsorted(nearest_first.contiguous(), sq_distances.contiguous(), right=True)
    within = place < pairs.negative.sum(dim=1, keepdim=True)
    place = place.clamp(max=len(labels) - 1)
    within &= nearest_first.gather(1, place) < sq_distances + margin
    anchors, positives = (pairs.positive & within).nonzero(as_tuple=True)
    return Triplets(anchors, positives, order[anchors, place[anchors, positives]], int(pairs.positive.sum()))


def batch_hard_triplets(sq_distances: Tensor, labels: Tensor) -> Triplets:
    """For every anchor, its furthest positive and its nearest negative.

    Source: Hermans, Beyer, Leibe, *In Defense of the Triplet Loss for Person Re-Identification*, 2017, equation 5.
    """
    pairs = PairsOfBatch.of(labels)
    positives = sq_distances.masked_fill(~pairs.positive, -1).argmax(dim=1)
    negatives = sq_distances.masked_fill(~pairs.negative, torch.inf).argmin(dim=1)
    anchors = (pairs.positive.any(dim=1) & pairs.negative.any(dim=1)).nonzero().squeeze(1)
    return Triplets(anchors, positives[anchors], negatives[anchors], len(anchors))

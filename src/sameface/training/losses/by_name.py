"""Losses by the names users type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import nn

from sameface.errors import SettingError
from sameface.training.losses.contrastive import ContrastiveLoss, PairMining
from sameface.training.losses.koch import KochLoss
from sameface.training.losses.metric_learning import MetricLearningLoss
from sameface.training.losses.triplet import FACENET_MARGIN, TripletLoss
from sameface.training.mining import Mining


def make_loss(
    name: str,
    *,
    dimension: int,
    people: int,
    margin: float | None = None,
    mining: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> nn.Module:
    """Build a batch loss (see `BatchLoss`).

    Args:
        name: ``triplet``, ``contrastive``, ``koch``, or a class name of pytorch-metric-learning (``SupConLoss``).
        dimension: d of the embeddings.
        people: number of people in training.
        margin: None takes the loss's own default.
        mining: None takes the loss's own default; only triplet and contrastive have any.
        settings: arguments of a pytorch-metric-learning class.

    >>> make_loss("triplet", dimension=128, people=10).margin
    0.2
    """
    own = name in {"triplet", "contrastive", "koch"}
    if settings and own:
        raise SettingError(
            expected="loss settings only with a loss of pytorch-metric-learning", got=name, advice="use margin"
        )
    if (mining is not None and name not in {"triplet", "contrastive"}) or (
        margin is not None and (name == "koch" or not own)
    ):
        raise SettingError(
            expected="mining and margin only where the loss has them",
            got=f"{name} with mining={mining}, margin={margin}",
            advice="leave them out",
        )
    if name == "triplet":
        alpha = FACENET_MARGIN if margin is None else margin
        return TripletLoss(alpha, cast("Mining", mining or "semi-hard"), dimension=dimension)
    if name == "contrastive":
        if mining not in {None, "all", "hard"}:
            raise SettingError(
                expected="mining all or hard for pairs", got=repr(mining), advice="use hard when in doubt"
            )
        return ContrastiveLoss(1.0 if margin is None else margin, cast("PairMining", mining or "all"))
    if name == "koch":
        return KochLoss(dimension)
    return MetricLearningLoss(name, dimension=dimension, people=people, settings=dict(settings or {}))

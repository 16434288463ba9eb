"""Losses by the names users type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from torch import nn

from sameface.errors import SettingError
from sameface.training.losses.classes import MARGINS, SCALE, class_loss
from sameface.training.losses.contrastive import ContrastiveLoss, PairMining
from sameface.training.losses.koch import KochLoss
from sameface.training.losses.metric_learning import MetricLearningLoss
from sameface.training.losses.triplet import FACENET_MARGIN, TripletLoss
from sameface.training.mining import Mining

#: What may be set of a loss with centres.
_CENTRE_SETTINGS: Final = ("scale", "centres", "share")


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
        name: ``triplet``, ``contrastive``, ``koch``; ``arcface``, ``cosface``, ``adaface`` or ``softmax``, which learn a centre for
            each person; or a class name of pytorch-metric-learning (``SupConLoss``).
        dimension: d of the embeddings.
        people: number of people in training.
        margin: None takes the loss's own default.
        mining: None takes the loss's own default; only triplet and contrastive have any.
        settings: arguments of a pytorch-metric-learning class; ``scale``, ``centres`` and ``share`` of a loss with centres.

    >>> make_loss("triplet", dimension=128, people=10).margin
    0.2
    """
    if name in MARGINS and mining is None:
        return _class_loss(name, people, dimension, margin, settings or {})
    own = name in {"triplet", "contrastive", "koch"}
    if settings and own:
        raise SettingError(
            expected="loss settings only with a loss that has some: one with centres, or of pytorch-metric-learning",
            got=name,
            advice="use margin",
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


def _class_loss(
    name: str, people: int, dimension: int, margin: float | None, settings: Mapping[str, object]
) -> nn.Module:
    if unknown := sorted(set(settings) - set(_CENTRE_SETTINGS)):
        raise SettingError(
            expected=f"settings of {name}: {', '.join(_CENTRE_SETTINGS)}",
            got=", ".join(unknown),
            advice="the margin has an option of its own",
        )
    for setting, value in settings.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or (setting == "centres" and value != int(value))
        ):
            raise SettingError(
                expected=f"a {'whole ' if setting == 'centres' else ''}number for {setting}",
                got=repr(value),
                advice="for instance centres=3, share=0.1, scale=32",
            )
    given = cast("Mapping[str, float]", settings)
    return class_loss(
        name,
        people=people,
        dimension=dimension,
        margin=margin,
        scale=float(given.get("scale", SCALE)),
        centres=int(given.get("centres", 1)),
        share=float(given.get("share", 1.0)),
    )

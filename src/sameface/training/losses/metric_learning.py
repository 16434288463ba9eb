"""Any loss of pytorch-metric-learning, by name.

Its margins are its own: that library's ``TripletMarginLoss`` and ``ContrastiveLoss`` work on plain, not squared,
distances and have no squared hinge; see its pages before comparing numbers. Losses with class weights
(``ArcFaceLoss`` and its kin) need to know how many people there are.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from torch import Tensor, nn

from sameface.errors import SettingError, did_you_mean
from sameface.training.losses.report import LossReport

#: Losses there that a batch of pictures with names cannot feed, and why.
NOT_FOR_LABELS: Final = {
    "GenericPairLoss": "it is a base for other losses",
    "ManifoldLoss": "it takes no labels",
    "SelfSupervisedLoss": "it takes two views of each picture and no labels",
    "VICRegLoss": "it takes two views of each picture and no labels",
}
#: Losses that are not that library's.
OWN: Final = ("triplet", "contrastive", "koch", "arcface", "cosface", "adaface", "softmax")
#: What that library calls the number of people and the length of an embedding.
_PEOPLE: Final = ("num_classes",)
_DIMENSION: Final = ("embedding_size", "descriptors_dim")


class MetricLearningLoss(nn.Module):
    """One of that library's losses behind our door.

    Args:
        name: class name there, ``SupConLoss`` for instance.
        dimension: d of the embeddings, for losses that learn class weights.
        people: number of people in training, likewise.
        settings: further arguments of that class, by name.

    Raises:
        SettingError: no such loss, one that learns from something else than labels, or settings that it does not take.
    """

    def __init__(self, name: str, *, dimension: int, people: int, settings: dict[str, object] | None = None) -> None:
        super().__init__()
        from pytorch_metric_learning import losses  # type: ignore[import-untyped]

        known = {item for item in dir(losses) if item.endswith("Loss") and not item.startswith("Base")}
        usable = ", ".join(sorted(known - set(NOT_FOR_LABELS)))
        if name not in known:
            raise SettingError(
                expected=f"a loss among {', '.join(OWN)}, {usable}",
                got=repr(name),
                advice=did_you_mean(name, {*OWN, *known}, "check the spelling"),
            )
        if name in NOT_FOR_LABELS:
            raise SettingError(
                expected=f"a loss that learns from names, among {usable}",
                got=f"{name}: {NOT_FOR_LABELS[name]}",
                advice="choose one of those; SupConLoss when in doubt",
            )
        kind = getattr(losses, name)
        accepted = _arguments(kind)
        wanted = {argument: people for argument in _PEOPLE if argument in accepted}
        wanted |= {argument: dimension for argument in _DIMENSION if argument in accepted}
        self.name = name
        try:
            self._loss = kind(**{**wanted, **(settings or {})})
        except (TypeError, ValueError) as error:
            raise SettingError(
                expected=f"settings that {name} has", got=str(error), advice="see pytorch-metric-learning's pages"
            ) from error

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        # The library computes some denominators in the type it is given; half precision would overflow its
        # exponentials.
        value = self._loss(embeddings if embeddings.dtype.itemsize >= 4 else embeddings.float(), labels)
        # A number without a gradient says that the batch held no pair to learn from; how many terms are above zero is not told.
        return LossReport(value, None, len(labels) if value.requires_grad else 0)


def _arguments(kind: type[Any]) -> set[str]:
    """Names a class takes, those of its bases too: some there pass everything on (``*args, **kwargs``)."""
    makers = [vars(base)["__init__"] for base in inspect.getmro(kind) if "__init__" in vars(base)]
    return {name for maker in makers for name in inspect.signature(maker).parameters}

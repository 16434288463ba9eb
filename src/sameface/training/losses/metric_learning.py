"""Any loss of pytorch-metric-learning, by name.

Its margins are its own: that library's ``TripletMarginLoss`` and ``ContrastiveLoss`` work on plain, not squared,
distances and have no squared hinge; see its pages before comparing numbers. Losses with class weights
(``ArcFaceLoss`` and its kin) need to know how many people there are.
"""

from __future__ import annotations

import inspect

from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.training.losses.report import LossReport


class MetricLearningLoss(nn.Module):
    """One of that library's losses behind our door.

    Args:
        name: class name there, ``SupConLoss`` for instance.
        dimension: d of the embeddings, for losses that learn class weights.
        people: number of people in training, likewise.
        settings: further arguments of that class, by name.
    """

    def __init__(
        self, name: str, *, dimension: int, people: int, settings: dict[str, float | int | bool] | None = None
    ) -> None:
        super().__init__()
        from pytorch_metric_learning import losses  # type: ignore[import-untyped]

        known = sorted(item for item in dir(losses) if item.endswith("Loss") and not item.startswith("Base"))
        if name not in known:
            raise SettingError(expected=f"a loss among {', '.join(known)}", got=repr(name), advice="check the spelling")
        kind = getattr(losses, name)
        wanted = dict(settings or {})
        accepted = inspect.signature(kind.__init__).parameters
        if "num_classes" in accepted:
            wanted.setdefault("num_classes", people)
        if "embedding_size" in accepted:
            wanted.setdefault("embedding_size", dimension)
        self.name = name
        try:
            self._loss = kind(**wanted)
        except TypeError as error:
            raise SettingError(
                expected=f"settings that {name} has", got=str(error), advice="see pytorch-metric-learning's pages"
            ) from error

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        # The library computes some denominators in the type it is given; half precision would overflow its
        # exponentials.
        value = self._loss(embeddings if embeddings.dtype.itemsize >= 4 else embeddings.float(), labels)
        count = len(labels)
        return LossReport(value, count if float(value.detach()) > 0 else 0, count)

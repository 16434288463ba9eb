"""Learning from what another network, or the same one before, made of each picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.training.losses.adapt import AnyLoss
from sameface.training.losses.report import LossReport


class Distillation(nn.Module):
    """``mean ‖f(x) − t‖² / mean ‖t‖²``: each embedding is drawn to a target that was made of the undamaged picture.

    With embeddings of length 1 this is ``2 (1 − cos)``. No people are needed, so people with one photo teach as well.
    Source: Hinton, Vinyals, Dean 2015, for the idea; Romero et al. 2015 (FitNets), equation 3, for the squared distance.

    Args:
        targets: ``(n, d)``, a row for each picture of the training.
        weight: of this loss beside another.
        beside: a loss of people to add; None adds none.

    Raises:
        SettingError: a weight that is none.
    """

    needs_rows = True

    def __init__(self, targets: Tensor, *, weight: float = 1.0, beside: AnyLoss | None = None) -> None:
        super().__init__()
        if not 0 < weight < float("inf"):
            raise SettingError(expected="a weight above 0", got=f"{weight:g}", advice="give 1, or leave it out")
        self.register_buffer("_targets", targets.float(), persistent=False)
        self._scale = weight / float(targets.float().square().sum(dim=1).mean())
        self._beside = beside
        self._other = None if beside is None else beside.module
        self.needs_lengths = bool(getattr(self._other, "needs_lengths", False))

    def forward(self, embeddings: Tensor, labels: Tensor, rows: Tensor) -> LossReport:
        """Score a batch.

        Args:
            embeddings: ``(m, d)``.
            labels: ``(m,)``, for the other loss.
            rows: ``(m,)`` which picture each is of.
        """
        targets = self.get_buffer("_targets")[rows.to(self.get_buffer("_targets").device)]
        value = self._scale * (embeddings - targets).square().sum(dim=1).mean()
        if self._beside is None:
            return LossReport(value, None, len(rows))
        other = self._beside(embeddings, labels)
        return LossReport(value + other.value, other.active, max(other.considered, 1))


def targets_of(given: Tensor | None) -> Tensor:
    """The targets of pictures that have some.

    Raises:
        SettingError: they have none.
    """
    if given is None:
        raise SettingError(
            expected="pictures with a teacher's embeddings",
            got="none",
            advice="distil with --weights, whose encoder is the teacher",
        )
    return torch.as_tensor(given)

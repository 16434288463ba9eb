"""Any loss of a batch behind one call: one's own function or module, and losses with miners of pytorch-metric-learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.training.losses.report import LossReport

#: A module or function of (embeddings, labels) that gives a `LossReport` or a scalar; or such a loss of three arguments with the miner
#: that gives the third, as pytorch-metric-learning has them.
BatchLossLike = nn.Module | Callable[[Tensor, Tensor], Any] | tuple[Any, Any]


class AnyLoss:
    """Calls a loss, and makes a report of whatever scalar it gives.

    Args:
        given: see `BatchLossLike`.

    Attributes:
        module: the loss as a module, for its weights; an empty one for a function.

    Raises:
        SettingError: neither a function nor a module.
    """

    def __init__(self, given: BatchLossLike) -> None:
        pair: tuple[Any, Any] = given if isinstance(given, tuple) else (given, None)
        self._loss, self._miner = pair
        for part in (self._loss, self._miner):
            if part is not None and not callable(part):
                raise SettingError(
                    expected="a loss: a function or module of (embeddings, labels), alone or as (loss, miner)",
                    got=type(part).__name__,
                    advice="use make_loss('triplet', …) when in doubt",
                )
        self.module: nn.Module = self._loss if isinstance(self._loss, nn.Module) else nn.Module()

    def __call__(self, embeddings: Tensor, labels: Tensor, rows: Tensor | None = None) -> LossReport:
        """Score a batch; `rows` says which pictures it is made of, for a loss that has ``needs_rows``."""
        if getattr(self._loss, "needs_rows", False):
            answer, considered = self._loss(embeddings, labels, rows), len(labels)
        elif self._miner is None:
            answer, considered = self._loss(embeddings, labels), len(labels)
        else:
            mined = self._miner(embeddings, labels)
            answer = self._loss(embeddings, labels, mined)
            considered = sum(len(part) for part in mined[::2]) if isinstance(mined, tuple) else len(labels)
        if isinstance(answer, LossReport):
            return answer
        if not isinstance(answer, Tensor) or answer.numel() != 1:
            raise SettingError(
                expected="a loss that gives one number for a batch",
                got=f"a tensor of shape {tuple(answer.shape)}" if isinstance(answer, Tensor) else type(answer).__name__,
                advice="take the mean of its terms, or give a LossReport",
            )
        # A number without a gradient is how some say that the batch held nothing to learn from.
        return LossReport(answer.reshape(()), None, considered if answer.requires_grad else 0)

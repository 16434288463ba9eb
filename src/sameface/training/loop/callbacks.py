"""What wants to hear of a training: one's own logs, stops, samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sameface.training.loop.result import TrainingResult
    from sameface.training.loop.trainer import Trainer
    from sameface.training.loop.validation import Validation


class Callback:
    """Hears of a training. Derive from it and write the methods that you want; the others do nothing.

    Of several processes only the first calls any. `Trainer.stop` ends the training after the step under way.
    """

    def start(self, trainer: Trainer) -> None:
        """Before the first step; a resumed training starts again."""

    def step(self, trainer: Trainer, step: int, numbers: Mapping[str, float]) -> None:
        """After each step: steps done, and ``loss``, ``active_share``, ``spread``, ``learning_rate``."""

    def epoch(self, trainer: Trainer, epoch: int) -> None:
        """Each time as many pictures were drawn as there are: 1, 2, 3 … times."""

    def validation(self, trainer: Trainer, step: int, validation: Validation) -> None:
        """After each validation on held-out people."""

    def end(self, trainer: Trainer, result: TrainingResult) -> None:
        """When it has ended in whatever way but an error; `Trainer.network` holds the weights to export."""


class Callbacks(Callback):
    """Several as one, called in order."""

    def __init__(self, each: Sequence[Callback]) -> None:
        self._each = tuple(each)

    def start(self, trainer: Trainer) -> None:
        for callback in self._each:
            callback.start(trainer)

    def step(self, trainer: Trainer, step: int, numbers: Mapping[str, float]) -> None:
        for callback in self._each:
            callback.step(trainer, step, numbers)

    def epoch(self, trainer: Trainer, epoch: int) -> None:
        for callback in self._each:
            callback.epoch(trainer, epoch)

    def validation(self, trainer: Trainer, step: int, validation: Validation) -> None:
        for callback in self._each:
            callback.validation(trainer, step, validation)

    def end(self, trainer: Trainer, result: TrainingResult) -> None:
        for callback in self._each:
            callback.end(trainer, result)

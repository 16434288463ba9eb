"""Keeping the best: the weights of the lowest error on held-out people, and how long ago that was."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


class Best:
    """What validation said so far.

    Args:
        patience: validations without a better error before `used_up`; 0 is never used up, and keeps no weights.

    Attributes:
        weights: of the best validation, None before the first or without patience.
        error, step: of that validation.
        since: validations that have passed since.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.weights: dict[str, Tensor] | None = None
        self.error = float("inf")
        self.step = 0
        self.since = 0
        self._seen_any = False

    def see(self, step: int, error: float, weights: Mapping[str, Tensor]) -> None:
        """Take one validation in; of a step that was seen before, nothing is taken.

        Args:
            step: steps done.
            error: lower is better; NaN is never better, unless nothing was seen before.
            weights: copied when they are kept.
        """
        if self._seen_any and step <= self.step:
            return
        if self._seen_any and not error < self.error:
            self.since += 1
            return
        self._seen_any = True
        self.error, self.step, self.since = error, step, 0
        if self.patience:
            self.weights = {name: value.clone() for name, value in weights.items()}

    @property
    def used_up(self) -> bool:
        """Whether patience has come to its end."""
        return bool(self.patience) and self.since >= self.patience

    def restore(self, weights: dict[str, Tensor] | None, error: float, step: int, since: int) -> None:
        """As a checkpoint has it."""
        self.weights, self.error, self.step, self.since = weights, error, step, since
        self._seen_any = weights is not None or error != float("inf")

"""What an augmentation is."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Augmentation(Protocol):
    """Changes a batch at random, as a function of the generator alone.

    Attributes:
        whole_batch: whether pictures of other people in the batch are needed; such a batch is not divided among
            processes before.
    """

    @property
    def whole_batch(self) -> bool: ...

    def __call__(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        """Change a batch.

        Args:
            pictures: ``(P·K, c, s, s)`` as the intake gives them; the K photos of a person lie beside each other.
            photos_each: K.
            random: where every draw comes from.

        Returns:
            ``(P·K, c, t, t)``, t the side that the network takes.
        """
        ...


class NoAugmentation:
    """Pictures as they are."""

    whole_batch = False

    def __call__(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        return pictures


def uniform(count: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """``(count,)`` draws from [low, high)."""
    return low + (high - low) * torch.rand(count, generator=random)

"""A function of one picture as an augmentation: torchvision's transforms, or one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from sameface.errors import SettingError
from sameface.training.augment.augmentation import Augmentation, NoAugmentation


class EachPicture:
    """Changes each picture of a batch by itself.

    The function's draws from PyTorch's random state are functions of the seed and the step; draws from elsewhere (``random``, NumPy)
    are not, and make a training that cannot be repeated.

    Args:
        change: ``(c, s, s)`` as the network's intake gives it to ``(c, t, t)``.
    """

    whole_batch = False

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        self._change = change

    def __call__(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        devices = [pictures.device] if pictures.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(random.initial_seed())
            return torch.stack([self._change(picture) for picture in pictures])


def as_augmentation(given: Augmentation | Callable[[Tensor], Tensor] | None) -> Augmentation:
    """An augmentation from one, from a function of a picture, or from nothing.

    Raises:
        SettingError: something else.
    """
    if given is None:
        return NoAugmentation()
    if hasattr(given, "whole_batch"):
        return cast("Augmentation", given)
    if callable(given):
        return EachPicture(given)
    raise SettingError(
        expected="an augmentation: an object with `whole_batch`, or a function of one picture",
        got=type(given).__name__,
        advice="give FaceAugmentation() or None",
    )

"""Handwritten characters: moved, bent, thickened; turned and joined into characters that nobody has seen."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from sameface.training.augment.affine import AffineRange, random_affine, random_bend, warp
from sameface.training.augment.augmentation import uniform

#: New coordinates to old ones for the two halves of a joined character: beside each other, and one above the other.
_HALVES: Final = (
    (((2.0, 0.0, 1.0), (0.0, 1.0, 0.0)), ((2.0, 0.0, -1.0), (0.0, 1.0, 0.0))),
    (((1.0, 0.0, 0.0), (0.0, 2.0, 1.0)), ((1.0, 0.0, 0.0), (0.0, 2.0, -1.0))),
)


class CharacterAugmentation:
    """For drawn characters on paper of value 0 (intake ``ink``).

    Two changes make *new* characters, the same for all K photos of one: a quarter turn or mirror image, one of eight;
    and the joining of two characters of the batch into halves of one. A character is in a batch once, so neither a
    turned character that looks like itself nor a joined one can be taught as different from its own original. The
    other changes keep the character and differ from photo to photo.

    Args:
        size: side of the network's pictures; pictures come in at twice that side, so that moving them blurs nothing.
        turns: whether to turn and mirror.
        together: share of batches in which all characters are turned the same way, as those of one alphabet are.
        joined: share of characters that are joined.
        limits: of the affine changes.
        bend: strength of the bending, as a share of half the picture.
        thicken: strength of thickening (and of thinning, less).
    """

    whole_batch = True

    def __init__(
        self,
        size: int,
        *,
        turns: bool = True,
        together: float = 0.5,
        joined: float = 0.3,
        limits: AffineRange | None = None,
        bend: float = 0.0,
        thicken: float = 0.0,
    ) -> None:
        self._size = size
        self._turns = turns
        self._together = together
        self._joined = joined
        self._limits = limits if limits is not None else AffineRange()
        self._bend = bend
        self._thicken = thicken

    def __call__(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        x = self._turn(pictures, photos_each, random) if self._turns else pictures
        if self._joined:
            x = self._join(x, photos_each, random)
        count = len(x)
        maps = random_affine(count, self._limits, random)
        bend = random_bend(count, 2 * self._size, self._bend, random) if self._bend else None
        x = functional.avg_pool2d(warp(x, maps, 2 * self._size, bend=bend), 2)
        if self._thicken:
            amount = self._thicken * uniform(count, -0.3, 0.7, random).view(-1, 1, 1, 1).to(x.device)
            spread = (2 * functional.avg_pool2d(x, 3, 1, 1)).clamp(0, 1)
            x = (x + amount * (spread - x)).clamp(0, 1)
        return x

    def _turn(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        characters = len(pictures) // photos_each
        turned = pictures.clone()
        kinds = torch.randint(8, (characters,), generator=random)
        if float(torch.rand((), generator=random)) < self._together:
            kinds = kinds[:1].expand(characters)
        for number, kind in enumerate(kinds.tolist()):
            rows = slice(number * photos_each, (number + 1) * photos_each)
            x = pictures[rows].flip(-1) if kind >= 4 else pictures[rows]
            turned[rows] = torch.rot90(x, kind % 4, (-2, -1))
        return turned

    def _join(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        characters = len(pictures) // photos_each
        partners = torch.randperm(characters, generator=random)
        chosen = torch.rand(characters, generator=random) < self._joined
        upright = torch.randint(2, (characters,), generator=random)
        halves = torch.tensor(_HALVES)[upright]  # (characters, 2 halves, 2, 3)
        rows = torch.arange(characters)[:, None] * photos_each + torch.arange(photos_each)
        own, others = rows[chosen].flatten(), rows[partners[chosen]].flatten()
        if not len(own):
            return pictures
        maps = halves[chosen].repeat_interleave(photos_each, dim=0)
        side = pictures.shape[-1]
        first = warp(pictures[own.to(pictures.device)], maps[:, 0], side)
        second = warp(pictures[others.to(pictures.device)], maps[:, 1], side)
        joined = pictures.clone()
        joined[own.to(pictures.device)] = torch.maximum(first, second)
        return joined

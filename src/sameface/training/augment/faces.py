"""Faces: mirrored, moved a little, lit otherwise, seen by a worse camera."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sameface.training.augment.affine import AffineRange, random_affine, warp
from sameface.training.augment.augmentation import uniform


class FaceAugmentation:
    """For faces or other photos around 0 (intakes ``centred`` and ``per-image``).

    Args:
        limits: of the affine changes; faces are aligned, so they are small.
        light: brightness and contrast change by up to this share.
        blur: share of photos that are shrunk and enlarged again by up to a factor of three.
        mirror: whether half the photos are mirrored.
    """

    whole_batch = False

    def __init__(
        self,
        *,
        limits: AffineRange | None = None,
        light: float = 0.25,
        blur: float = 0.2,
        mirror: bool = True,
    ) -> None:
        self._limits = (
            limits
            if limits is not None
            else AffineRange(degrees=8, log_scale=0.1, shear=0.03, shift=0.08, one_scale=True)
        )
        self._light = light
        self._blur = blur
        self._mirror = mirror

    def __call__(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        count, side = len(pictures), pictures.shape[-1]
        maps = random_affine(count, self._limits, random)
        if self._mirror:
            maps[torch.rand(count, generator=random) < 0.5, :, 0] *= -1
        x = warp(pictures, maps, side, edge="border")
        if self._blur:
            for row in (torch.rand(count, generator=random) < self._blur).nonzero().flatten().tolist():
                small = max(4, round(side / float(uniform(1, 1.0, 3.0, random))))
                shrunk = functional.interpolate(x[row : row + 1], size=(small, small), mode="bilinear", antialias=True)
                x[row] = functional.interpolate(shrunk, size=(side, side), mode="bilinear")[0]
        if self._light:
            contrast = uniform(count, 1 - self._light, 1 + self._light, random).view(-1, 1, 1, 1).to(x.device)
            brightness = uniform(count, -self._light, self._light, random).view(-1, 1, 1, 1).to(x.device)
            x = x * contrast + brightness
        return x

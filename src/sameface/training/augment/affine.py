"""Small affine changes, and the bending of paper."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sameface.training.augment.augmentation import uniform


@dataclass(frozen=True)
class AffineRange:
    """How far pictures may be moved; every draw is even within ± the number.

    Attributes:
        degrees: rotation.
        log_scale: of width and height, each on its own: 0.2 means a factor from e⁻⁰·² to e⁰·².
        shear: of x by y.
        shift: as a share of half the picture.
        one_scale: width and height by the same factor (faces), instead of each by its own (handwriting).
    """

    degrees: float = 15.0
    log_scale: float = 0.2
    shear: float = 0.25
    shift: float = 0.12
    one_scale: bool = False


def random_affine(count: int, limits: AffineRange, random: torch.Generator) -> Tensor:
    """``(count, 2, 3)`` maps from the new picture's coordinates to the old one's, for `warp`."""
    angle = uniform(count, -1, 1, random) * math.radians(limits.degrees)
    scale_x = (uniform(count, -1, 1, random) * limits.log_scale).exp()
    scale_y = (uniform(count, -1, 1, random) * limits.log_scale).exp()
    if limits.one_scale:
        scale_y = scale_x
    shear = uniform(count, -1, 1, random) * limits.shear
    shift_x, shift_y = (uniform(count, -1, 1, random) * limits.shift for _ in range(2))
    cos, sin = angle.cos(), angle.sin()
    first = torch.stack([cos * scale_x, (shear * cos - sin) * scale_y, shift_x], dim=1)
    second = torch.stack([sin * scale_x, (cos + shear * sin) * scale_y, shift_y], dim=1)
    return torch.stack([first, second], dim=1)


def random_bend(count: int, size: int, strength: float, random: torch.Generator) -> Tensor:
    """``(count, size, size, 2)`` smooth displacement: 4×4 random vectors, interpolated."""
    coarse = strength * (2 * torch.rand(count, 2, 4, 4, generator=random) - 1)
    smooth = functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)


def warp(pictures: Tensor, maps: Tensor, size: int, *, bend: Tensor | None = None, edge: str = "zeros") -> Tensor:
    """Look up each new pixel in the old picture, bilinearly.

    Args:
        pictures: ``(m, c, h, w)``.
        maps: ``(m, 2, 3)`` on coordinates from −1 to 1.
        size: side of the new pictures.
        bend: ``(m, size, size, 2)`` to add.
        edge: what lies outside: ``zeros`` or ``border``.
    """
    device = pictures.device
    grid = functional.affine_grid(maps.to(device), [len(pictures), 1, size, size], align_corners=False)
    if bend is not None:
        grid = grid + bend.to(device)
    return functional.grid_sample(pictures, grid, padding_mode=edge, align_corners=False)

"""Views of one picture whose embeddings are averaged, inside the exported network: one picture in, one embedding out."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sameface.errors import SettingError
from sameface.training.augment.affine import AffineRange, random_affine

#: ``one``: the picture as it is · ``mirror``: and its mirror image · ``moved``: and fifteen slightly moved copies, the same moves for all pictures.
ViewKind = Literal["one", "mirror", "moved"]

MOVED: Final = 16
_LIMITS: Final = AffineRange(degrees=7.5, log_scale=0.1, shear=0.12, shift=0.06)


class Views(nn.Module):
    """``(m, c, s, s)`` to ``(m · count, c, s, s)``, the views of a picture beside each other, the picture itself first.

    Args:
        kind: see `ViewKind`.
        side: s; what is moved in from outside is 0.

    Attributes:
        count: views of each picture.
    """

    grids: Tensor

    def __init__(self, kind: ViewKind, side: int) -> None:
        super().__init__()
        if kind not in {"one", "mirror", "moved"}:
            raise SettingError(expected="views one, mirror or moved", got=repr(kind), advice="use one when in doubt")
        self.kind = kind
        self.count = {"one": 1, "mirror": 2, "moved": MOVED}[kind]
        if kind == "moved":
            same = torch.eye(2, 3)[None]
            maps = torch.cat([same, random_affine(MOVED - 1, _LIMITS, torch.Generator().manual_seed(0))])
            grids = functional.affine_grid(maps, [MOVED, 1, side, side], align_corners=False)
            self.register_buffer("grids", grids, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        if self.kind == "one":
            return pictures
        shape = pictures.shape[1:]
        if self.kind == "mirror":
            return torch.stack([pictures, pictures.flip(-1)], dim=1).view(-1, *shape)
        copies = pictures[:, None].expand(-1, MOVED, *shape).reshape(-1, *shape)
        grids = self.grids[None].expand(pictures.shape[0], *self.grids.shape).reshape(-1, *self.grids.shape[1:])
        return functional.grid_sample(copies, grids, align_corners=False)

    def mean(self, embeddings: Tensor) -> Tensor:
        """``(m · count, d)`` to ``(m, d)``: over the views of each picture."""
        return embeddings.view(-1, self.count, embeddings.shape[1]).mean(dim=1)

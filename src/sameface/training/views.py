"""Views of one picture whose embeddings become one, inside the exported network: one picture in, one embedding out."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sameface.errors import SettingError
from sameface.training.augment.affine import AffineRange, random_affine

#: ``one``: the picture as it is · ``mirror``: and its mirror image · ``moved``: and fifteen slightly moved copies, the same moves for all pictures ·
#: ``turned``: the picture and three moved copies in each of the eight quarter turns and mirror images, whose means lie beside each other.
ViewKind = Literal["one", "mirror", "moved", "turned"]

MOVED: Final = 16
#: Views of each turn.
MOVED_EACH: Final = 4
_LIMITS: Final = AffineRange(degrees=7.5, log_scale=0.1, shear=0.12, shift=0.06)
#: The quarter turns, and those of the mirror image, as maps from new coordinates to old ones; the picture as it is comes first.
_TURNS: Final = (
    ((1.0, 0.0), (0.0, 1.0)),
    ((0.0, -1.0), (1.0, 0.0)),
    ((-1.0, 0.0), (0.0, -1.0)),
    ((0.0, 1.0), (-1.0, 0.0)),
    ((-1.0, 0.0), (0.0, 1.0)),
    ((0.0, -1.0), (-1.0, 0.0)),
    ((1.0, 0.0), (0.0, -1.0)),
    ((0.0, 1.0), (1.0, 0.0)),
)
#: Views of each picture, and how many means of theirs lie beside each other.
_COUNTS: Final = {
    "one": (1, 1),
    "mirror": (2, 1),
    "moved": (MOVED, 1),
    "turned": (len(_TURNS) * MOVED_EACH, len(_TURNS)),
}


class Views(nn.Module):
    """``(m, c, s, s)`` to ``(m · count, c, s, s)``, the views of a picture beside each other, the picture itself first.

    Args:
        kind: see `ViewKind`.
        side: s; what is moved in from outside is 0.

    Attributes:
        count: views of each picture.
        parts: embeddings that lie beside each other in the one that comes out.
    """

    grids: Tensor

    def __init__(self, kind: ViewKind, side: int) -> None:
        super().__init__()
        if kind not in _COUNTS:
            raise SettingError(expected=f"views {', '.join(_COUNTS)}", got=repr(kind), advice="use one when in doubt")
        self.kind = kind
        self.count, self.parts = _COUNTS[kind]
        if kind in {"moved", "turned"}:
            same = torch.eye(2, 3)[None]
            maps = torch.cat([same, random_affine(MOVED - 1, _LIMITS, torch.Generator().manual_seed(0))])
            if kind == "turned":
                # The moved copies of a turned picture are looked up in the picture itself: one lookup, at no loss.
                maps = (torch.tensor(_TURNS)[:, None] @ maps[None, :MOVED_EACH]).flatten(0, 1)
            grids = functional.affine_grid(maps, [self.count, 1, side, side], align_corners=False)
            self.register_buffer("grids", grids, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        if self.kind == "one":
            return pictures
        shape = pictures.shape[1:]
        if self.kind == "mirror":
            return torch.stack([pictures, pictures.flip(-1)], dim=1).view(-1, *shape)
        copies = pictures[:, None].expand(-1, self.count, *shape).reshape(-1, *shape)
        grids = self.grids[None].expand(pictures.shape[0], *self.grids.shape).reshape(-1, *self.grids.shape[1:])
        return functional.grid_sample(copies, grids, align_corners=False)

    def together(self, embeddings: Tensor, *, unit_length: bool) -> Tensor:
        """The embeddings of all views to one for each picture.

        Args:
            embeddings: ``(m · count, d)``.
            unit_length: scale what comes out to length 1, and before that each of its parts to the same length.

        Returns:
            ``(m, parts · d)``: means over views, of each turn on its own.
        """
        if self.count == 1:
            return embeddings
        means = embeddings.view(-1, self.parts, self.count // self.parts, embeddings.shape[1]).mean(dim=2)
        if not unit_length:
            return means.flatten(1)
        return functional.normalize(functional.normalize(means, dim=2).flatten(1), dim=1)

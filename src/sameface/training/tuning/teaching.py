"""What an encoder makes of each picture before it is tuned: the targets that its tuned self is drawn to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch

from sameface.encoders import Encoder
from sameface.progress import Tally
from sameface.training.pictures import Pictures

#: Pictures encoded between two reports.
_AT_ONCE: Final = 128


def taught(pictures: Pictures, teacher: Encoder, progress: Tally | None = None) -> Pictures:
    """Pictures with their targets.

    Args:
        pictures: crops ``(n, 3, s, s)`` uint8.
        teacher: encodes them as it does for everybody: all views, scaled as its card says.
        progress: told (done, all).
    """
    targets = torch.empty(len(pictures), teacher.card.dimension)
    for start in range(0, len(pictures), _AT_ONCE):
        rows = torch.arange(start, min(start + _AT_ONCE, len(pictures)))
        crops = pictures.pixels[rows].permute(0, 2, 3, 1).contiguous().numpy()
        targets[rows] = torch.from_numpy(teacher.encode(crops))
        if progress is not None:
            progress(int(rows[-1]) + 1, len(pictures))
    return replace(pictures, targets=targets)

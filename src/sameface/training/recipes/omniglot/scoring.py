"""Omniglot's official protocol, and the views that an asked drawing may be seen in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from sameface.training.augment.affine import AffineRange, random_affine, warp
from sameface.training.recipes.omniglot.drawings import STORED_SIDE, OneShotRun


def wrong_answers(
    runs: Sequence[OneShotRun],
    embed: Callable[[Tensor], Tensor],
    *,
    similarity: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> npt.NDArray[np.int64]:
    """Score the official protocol, each asked drawing on its own.

    Args:
        runs: see `read_runs`.
        embed: ``(m, 1, 64, 64)`` uint8 to ``(m, d)``.
        similarity: a learned comparison, row by row, where the loss has one (Koch's); None compares by L2 distance.

    Returns:
        ``(runs,)`` wrong answers of 20 each.
    """
    wrong = []
    for run in runs:
        with torch.no_grad():
            gallery, probes = embed(run.enrolled).float(), embed(run.asked).float()
            if similarity is None:
                distances = torch.cdist(probes, gallery)
            else:
                distances = torch.stack([-similarity(probe.expand_as(gallery), gallery) for probe in probes])
        nearest = distances.argmin(dim=1).numpy()
        wrong.append(int((nearest != run.answers).sum()))
    return np.array(wrong, dtype=np.int64)


def embed_views(embed: Callable[[Tensor], Tensor], pixels: Tensor, views: int) -> Tensor:
    """The mean of the embeddings of a drawing and of slightly moved copies of it, scaled to length 1.

    Args:
        embed: ``(m, 1, 64, 64)`` to ``(m, d)``.
        pixels: ``(m, 1, 64, 64)``.
        views: 1 or more; the first is the drawing itself, the others are the same moves for every drawing.
    """
    total = embed(pixels)
    limits = AffineRange(degrees=7.5, log_scale=0.1, shear=0.12, shift=0.06)
    moves = random_affine(max(0, views - 1), limits, torch.Generator().manual_seed(0))
    ink = 255 - pixels.float()
    for move in moves:
        total = total + embed(255 - warp(ink, move.expand(len(ink), 2, 3), STORED_SIDE))
    return functional.normalize(total, dim=1)

"""Omniglot's official protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.training.recipes.omniglot.drawings import OneShotRun


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

"""How well a network does on people it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.metrics import curve, equal_error_rate
from sameface.training.loop.collapse import spread_of
from sameface.training.pictures import Pixels


class Validation(NamedTuple):
    """Numbers on held-out people.

    Attributes:
        eer: equal error rate over all pairs of their pictures; NaN without pairs of both kinds.
        one_shot_error: share of pictures whose nearest, of one random picture each of everybody held out, is another
            person's; NaN where nobody has two pictures.
        spread: see `sameface.training.loop.collapse.spread_of`.
        missed, missed_undamaged: of a fine-tuning, share of mated pairs missed at FMR 1e-3 on damaged and undamaged pictures; the other
            numbers are then of the damaged ones. None elsewhere.
        judged: what early stopping goes by instead of the EER; None for the EER.
    """

    eer: float
    one_shot_error: float
    spread: float
    missed: float | None = None
    missed_undamaged: float | None = None
    judged: float | None = None

    @property
    def error(self) -> float:
        """What early stopping lowers."""
        return self.eer if self.judged is None else self.judged

    def numbers(self) -> dict[str, float]:
        """What there is, as logs name it."""
        return {f"validation_{name}": value for name, value in self._asdict().items() if value is not None}


def pair_distances(
    embeddings: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distances of all mated pairs, and of all non-mated pairs.

    Args:
        embeddings: ``(n, d)``.
        labels: ``(n,)``.
    """
    wide = embeddings.astype(np.float64)
    squares = (wide**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * wide @ wide.T, 0))
    rows, columns = np.triu_indices(len(labels), k=1)
    same = labels[rows] == labels[columns]
    every = distances[rows, columns]
    return every[same], every[~same]


def one_shot_error(
    embeddings: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], *, seed: int = 0, rounds: int = 5
) -> float:
    """One picture of everybody is enrolled, the others are asked about; the mean over several draws of the enrolled
    ones."""
    random = np.random.default_rng(seed)
    wrong = asked = 0
    for _ in range(rounds):
        enrolled = np.array([random.choice(np.flatnonzero(labels == label)) for label in np.unique(labels)])
        probes = np.setdiff1d(np.arange(len(labels)), enrolled)
        if not len(probes):
            return float("nan")
        gallery = embeddings[enrolled]
        scores = (gallery**2).sum(axis=1)[None, :] - 2 * embeddings[probes] @ gallery.T
        wrong += int((labels[enrolled][scores.argmin(axis=1)] != labels[probes]).sum())
        asked += len(probes)
    return wrong / asked


def validate(
    embed: Callable[[Tensor], Tensor],
    pixels: Tensor | Pixels,
    labels: npt.NDArray[np.int64],
    *,
    seed: int = 0,
    batch_size: int = 256,
    most: int = 4000,
) -> Validation:
    """Measure a network on held-out pictures.

    Args:
        embed: stored pixels ``(m, …)`` to embeddings ``(m, d)``.
        pixels: ``(n, …)``.
        labels: ``(n,)``.
        seed: of the enrolled pictures, and of the draw when there are more than `most`.
        batch_size: at once.
        most: pictures measured at most (pairs grow with the square).
    """
    rows = np.arange(len(labels))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    chosen = torch.from_numpy(rows)
    with torch.no_grad():
        parts = [embed(pixels[part]).float().cpu() for part in torch.split(chosen, batch_size)]
    embeddings = torch.cat(parts)
    vectors = embeddings.numpy().astype(np.float32)
    mated, non_mated = pair_distances(vectors, labels[rows])
    both_kinds = len(mated) > 0 and len(non_mated) > 0
    eer = equal_error_rate(curve(mated, non_mated))[0] if both_kinds else float("nan")
    return Validation(eer, one_shot_error(vectors, labels[rows], seed=seed), spread_of(embeddings))

"""A linear map by which people differ most and photos of one person least: where the fully connected layer begins.

Source: principal components, then linear discriminant analysis on them (Belhumeur, Hespanha, Kriegman, *Eigenfaces vs. Fisherfaces*, 1997), its
directions weighted by a power of how well each tells people apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[np.float64]


def principal_components(vectors: Tensor, kept: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Randomised, over rows in half precision, a thousand of them at a time.

    Args:
        vectors: ``(n, d)``.
        kept: how many, at most n.
        seed: of the random start.

    Returns:
        The mean ``(d,)``, and ``(d, kept)`` directions, the strongest first.

    Source: Halko, Martinsson, Tropp, *Finding structure with randomness*, 2011, algorithms 4.4 and 5.1.
    """
    parts = torch.split(vectors, 1024)
    mean = torch.stack([part.float().sum(dim=0) for part in parts]).sum(dim=0) / len(vectors)
    more = min(kept + 60, *vectors.shape)
    basis = torch.randn(vectors.shape[1], more, generator=torch.Generator().manual_seed(seed))
    for _ in range(2):
        basis, _ = torch.linalg.qr(basis)
        seen, _ = torch.linalg.qr(torch.cat([(part.float() - mean) @ basis for part in parts]))
        basis = torch.zeros_like(basis)
        for part, rows in zip(parts, torch.split(seen, 1024), strict=True):
            basis += (part.float() - mean).T @ rows
    _, _, directions = torch.linalg.svd(basis.T, full_matrices=False)
    return mean, directions[:kept].T.contiguous()


def discriminant(points: Array, people: npt.NDArray[np.int64], *, kept: int, ridge: float, power: float) -> Array:
    """Linear discriminant analysis.

    Args:
        points: ``(n, d)``, around 0.
        people: ``(n,)`` whose each is; people of one photo say how people differ, but not how photos do.
        kept: directions.
        ridge: added to the variance within people, as a share of its mean.
        power: of the weight of a direction; 0 weighs all alike.

    Returns:
        ``(d, kept)``.
    """
    counts = np.bincount(people)
    means = np.zeros((len(counts), points.shape[1]))
    np.add.at(means, people, points)
    means /= np.maximum(counts, 1)[:, None]
    several = counts[people] > 1
    apart = points[several] - means[people[several]]
    each = 1 / (counts[people[several]] - 1)  # everybody weighs alike, however many photos
    within = (apart * each[:, None]).T @ apart / (counts > 1).sum()
    variances, turn = np.linalg.eigh(within)
    whiten = turn / np.sqrt(variances + ridge * variances.mean())
    between = means[counts > 0]
    between = (between - between.mean(axis=0)) @ whiten
    strengths, turn = np.linalg.eigh(between.T @ between)
    strengths, turn = strengths[::-1][:kept], turn[:, ::-1][:, :kept]
    weighed: Array = whiten @ turn * (np.maximum(strengths, 0) / strengths[0]) ** power
    return weighed

"""The layers of a Fisher network that are computed from photos: principal directions of patches, and the mixture of Gaussians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from sameface.training.networks.fisher import FisherNetwork, Mixture, PatchDescriptors

#: Photos described at once.
_BATCH: Final = 64
#: The least variance of a Gaussian, as a share of that of all descriptors.
_FLOOR: Final = 0.01


def fit_layers(
    network: FisherNetwork, grey: Callable[[Tensor], Tensor], photos: int, *, seed: int = 0, samples: int = 150_000
) -> None:
    """Choose directions and mixture by unlabelled photos.

    Args:
        network: whose `patches` and `mixture` are filled.
        grey: photo numbers to ``(m, 1, s, s)`` on 0…1.
        photos: how many there are.
        seed: of the draws.
        samples: descriptors to choose by.
    """
    random = torch.Generator().manual_seed(seed)
    each = max(1, -(-samples // photos))
    with torch.no_grad():
        fit_directions(network.patches, _drawn(network.patches.whole, grey, photos, each, random))
        fit_mixture(network.mixture, _drawn(network.patches, grey, photos, each, random), random)


def _drawn(
    describe: Callable[[Tensor], Tensor],
    grey: Callable[[Tensor], Tensor],
    photos: int,
    each: int,
    random: torch.Generator,
) -> Tensor:
    """``(photos · each, length)``: some descriptors of every photo."""
    found = []
    for rows in torch.split(torch.arange(photos), _BATCH):
        described = describe(grey(rows))
        chosen = torch.randint(described.shape[2], (len(rows), 1, each), generator=random)
        picked = described.gather(2, chosen.expand(-1, described.shape[1], -1))
        found.append(picked.transpose(1, 2).flatten(0, 1))
    return torch.cat(found)


def fit_directions(patches: PatchDescriptors, samples: Tensor) -> None:
    """Principal directions of whole descriptors.

    Args:
        patches: to fill.
        samples: ``(n, 128)``.
    """
    middle = samples.mean(dim=0)
    _, vectors = torch.linalg.eigh((samples - middle).T @ (samples - middle))
    kept = vectors.flip(1)[:, : len(patches.turn)].T.contiguous()
    patches.turn.copy_(kept.view_as(patches.turn))
    patches.middle.copy_((kept @ middle)[:, None])


def fit_mixture(mixture: Mixture, samples: Tensor, random: torch.Generator, *, rounds: int = 15) -> None:
    """Expectation and maximisation, from samples drawn as first means.

    Args:
        mixture: to fill.
        samples: ``(n, length)``, at least as many as there are Gaussians.
        random: for the first means.
        rounds: of the two.
    """
    words = len(mixture.shares)
    spread = samples.var(dim=0)
    mixture.means.copy_(samples[torch.randperm(len(samples), generator=random)[:words]])
    mixture.variances.copy_(spread.expand_as(mixture.variances))
    mixture.shares.fill_(1 / words)
    for _ in range(rounds):
        count, first, second = torch.zeros(words), torch.zeros_like(mixture.means), torch.zeros_like(mixture.means)
        for part in torch.split(samples, 8192):
            belong = mixture.belonging(part.T[None])[0]
            count += belong.sum(dim=1)
            first += belong @ part
            second += belong @ part.square()
        count = count.clamp(min=1.0)  # a Gaussian that nothing belongs to stays where it is, and small
        mixture.means.copy_(first / count[:, None])
        variances = second / count[:, None] - mixture.means.square()
        mixture.variances.copy_(torch.maximum(variances, _FLOOR * spread))
        mixture.shares.copy_(count / count.sum())

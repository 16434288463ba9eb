"""The running average of the weights: what is validated and exported."""

from __future__ import annotations

import copy

import torch

from sameface.training.networks.siamese import SiameseNetwork


class RunningAverage:
    """A network whose weights are the running average of another's; the last iterates of a noisy descent average out.

    Args:
        network: copied as it is now.
        decay: per step; early on it is shorter, so that the random start is forgotten. 0 copies the weights.
    """

    def __init__(self, network: SiameseNetwork, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay

    def take(self, network: SiameseNetwork, step: int) -> None:
        """Take in the weights after a step (0, 1, 2 …)."""
        decay = min(self._decay, (step + 1) / (step + 21)) if self._decay else 0.0
        with torch.no_grad():
            for mean, now in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - decay)
                else:
                    mean.copy_(now)

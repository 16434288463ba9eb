"""What is validated, exported and used: pixels in, embeddings out, in one module."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sameface.training.intake import Intake
from sameface.training.networks.by_name import NetworkSpec
from sameface.training.networks.siamese import SiameseNetwork
from sameface.training.views import Views


class Deployed(nn.Module):
    """Intake, views, shrinking and network, the way the weights were trained.

    Args:
        network: the trained network.
        spec: its description.
    """

    def __init__(self, network: SiameseNetwork, spec: NetworkSpec) -> None:
        super().__init__()
        self.intake = Intake(spec.intake, spec.channels)
        self.network = network
        self.views = Views(spec.views, spec.picture_side)
        self.shrink = spec.shrink

    def shrunk(self, pictures: Tensor) -> Tensor:
        """Pictures of the stored side to pictures of the network's side: means of ``shrink × shrink`` pixels."""
        return functional.avg_pool2d(pictures, self.shrink) if self.shrink > 1 else pictures

    def forward(self, pixels: Tensor) -> Tensor:
        """``(m, 1 or 3, side, side)`` on 0…255 to ``(m, d)``."""
        embeddings = self.network.embed(self.shrunk(self.views(self.intake(pixels))))
        if self.views.count == 1:
            return embeddings
        mean = self.views.mean(embeddings)
        return functional.normalize(mean, dim=1) if self.network.unit_length else mean

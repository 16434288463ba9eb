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
        directions: ``(kept, d)`` at right angles to each other, that embeddings are reduced to at the end; None keeps all d
            numbers. See `principal_directions`.

    Attributes:
        dimension: of what comes out.
    """

    directions: Tensor | None

    def __init__(self, network: SiameseNetwork, spec: NetworkSpec, *, directions: Tensor | None = None) -> None:
        super().__init__()
        self.intake = Intake(spec.intake, spec.channels)
        self.network = network
        self.views = Views(spec.views, spec.picture_side)
        self.shrink = spec.shrink
        self.register_buffer("directions", directions, persistent=False)
        self.dimension = self.views.parts * spec.dimension if directions is None else len(directions)

    def shrunk(self, pictures: Tensor) -> Tensor:
        """Pictures of the stored side to pictures of the network's side: means of ``shrink × shrink`` pixels."""
        return functional.avg_pool2d(pictures, self.shrink) if self.shrink > 1 else pictures

    def forward(self, pixels: Tensor) -> Tensor:
        """``(m, 1 or 3, side, side)`` on 0…255 to ``(m, dimension)``."""
        embeddings = self.network.embed(self.shrunk(self.views(self.intake(pixels))))
        unit_length = self.network.unit_length
        seen = self.views.together(embeddings, unit_length=unit_length)
        if self.directions is None:
            return seen
        reduced = functional.linear(seen, self.directions)
        return functional.normalize(reduced, dim=1) if unit_length else reduced

"""Sister networks: several pictures, one set of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from sameface.training.networks.by_name import NetworkSpec


class SiameseNetwork(nn.Module):
    """Two (three, any number of) pictures through branches that share every weight.

    The branches are one and the same module, called once: gradients of all pictures add up in it, which is what
    *sister networks* means. Source: Bromley et al., *Signature Verification using a Siamese Time Delay Neural
    Network*, 1993.

    Args:
        backbone: maps ``(m, …)`` to ``(m, d)``.
        unit_length: scale embeddings to length 1, as FaceNet does.
        spec: the network in words, for checkpoints and export; `build_network` and `own_network` give it.
    """

    def __init__(self, backbone: nn.Module, *, unit_length: bool = True, spec: NetworkSpec | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.unit_length = unit_length
        self.spec = spec
        #: Whether `forward` leaves embeddings as long as the backbone makes them while it trains, for a loss that reads the length.
        self.lengths_in_training = False

    def embed(self, pictures: Tensor) -> Tensor:
        """One branch: ``(m, …)`` to ``(m, d)``; at least float32, whatever precision the backbone ran in."""
        embeddings = self._raw(pictures)
        return functional.normalize(embeddings, dim=1) if self.unit_length else embeddings

    def _raw(self, pictures: Tensor) -> Tensor:
        embeddings: Tensor = self.backbone(pictures)
        return embeddings.float() if embeddings.dtype.itemsize < 4 else embeddings

    def forward(self, *pictures: Tensor) -> tuple[Tensor, ...]:
        """All branches at once.

        Args:
            pictures: one batch for each branch, of equal shapes: ``(first, second)`` or ``(anchor, positive,
                negative)``.

        Returns:
            The embeddings of each, in order. With batch normalisation in training mode the statistics are those of all
            branches together, as one shared network sees them.
        """
        encode = self._raw if self.training and self.lengths_in_training else self.embed
        if len(pictures) == 1:
            return (encode(pictures[0]),)
        lengths = [len(batch) for batch in pictures]
        return tuple(torch.split(encode(torch.cat(pictures)), lengths))

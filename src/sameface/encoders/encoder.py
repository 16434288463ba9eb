"""What every encoder is to the rest of the house."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from sameface.models.card import ModelCard
from sameface.types import CropsRGB, Embeddings


class Encoded(NamedTuple):
    """Embeddings, and how long they were before anything was scaled.

    Attributes:
        embeddings: ``(m, d)`` float32.
        lengths: ``(m,)`` float32, L2. Networks trained with a margin give short vectors for faces that they see badly.
    """

    embeddings: Embeddings
    lengths: npt.NDArray[np.float32]


class Encoder(Protocol):
    """Maps face crops to embeddings. Safe to use from several threads at once.

    Attributes:
        card: what the network is, needs and may be used for; ``card.id`` covers weights and preprocessing.
    """

    @property
    def card(self) -> ModelCard: ...

    def encode(self, crops_rgb: CropsRGB) -> Embeddings:
        """Encode aligned crops.

        Args:
            crops_rgb: ``(m, h, w, 3)`` uint8 RGB; any m, any h and w (scaled to the network's own input).

        Returns:
            ``(m, card.dimension)`` float32; ``(0, card.dimension)`` for no crops.

        Raises:
            CropError: another shape or type.
        """
        ...

    def encode_measured(self, crops_rgb: CropsRGB) -> Encoded:
        """`encode`, with the lengths of the embeddings before they were scaled."""
        ...

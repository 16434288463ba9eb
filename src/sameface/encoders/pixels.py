"""The baseline that learns nothing: pixels compared as they are."""

from __future__ import annotations

import numpy as np

from sameface.encoders.crops import check_crops, scale_crops
from sameface.encoders.encoder import Encoded
from sameface.models.card import ModelCard
from sameface.types import CropsRGB, Embeddings


class PixelsEncoder:
    """Aligned crop, 160×160 RGB, divided by 255, flattened.

    It exists to be beaten: any threshold on raw pixels confuses people with light and background.

    Args:
        card: the card of ``pixels``.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card

    @property
    def card(self) -> ModelCard:
        return self._card

    def encode(self, crops_rgb: CropsRGB) -> Embeddings:
        """Flatten crops; see `Encoder.encode`.

        Returns:
            ``(m, 76800)`` float32 in [0, 1], rows first, then columns, then R G B.
        """
        scaled = scale_crops(check_crops(crops_rgb), self._card.input_size_wh)
        return (scaled.reshape(len(scaled), self._card.dimension) / np.float32(255.0)).astype(np.float32)

    def encode_measured(self, crops_rgb: CropsRGB) -> Encoded:
        """See `Encoder.encode_measured`."""
        embeddings = self.encode(crops_rgb)
        return Encoded(embeddings, np.linalg.norm(embeddings, axis=1).astype(np.float32))

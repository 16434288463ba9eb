"""An encoder's own network as a backbone: pixels in as its card says, embeddings out, its weights trainable."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.models.card import NORMALISATIONS, PER_IMAGE, ModelCard
from sameface.training.from_onnx import OnnxNetwork
from sameface.training.intake import Intake
from sameface.training.tuning.base import BaseEncoder


class EncoderBackbone(nn.Module):
    """Crops as they are stored to embeddings as the encoder's network gives them, not scaled to length 1.

    Args:
        base: the encoder.
        freeze: layers from the picture on that stay as they are.
        norms_frozen: batch normalisation keeps its statistics.
        layer_decay: the learning rate of a layer over that of the layer above it; the last layer has the whole rate.

    Attributes:
        card, network: of the encoder.

    Raises:
        SettingError: nothing is left to train, or a decay that is no share.
        TrainingError: its graph has operators that are not known here.
    """

    def __init__(
        self, base: BaseEncoder, *, freeze: int = 0, norms_frozen: bool = True, layer_decay: float = 1.0
    ) -> None:
        super().__init__()
        self.card = base.card
        self.network = OnnxNetwork(base.model, output=base.output, freeze=freeze, norms_frozen=norms_frozen)
        self._each_picture = Intake("per-image", 3) if base.card.normalisation == PER_IMAGE else None
        self._decay = layer_decay
        if not 0 <= freeze < self.network.layers:
            raise SettingError(
                expected=f"0 to {self.network.layers - 1} frozen layers: {base.card.id} has {self.network.layers}",
                got=str(freeze),
                advice="leave the last layer to train",
            )
        if not 0 < layer_decay <= 1:
            raise SettingError(
                expected="a layer decay above 0, up to 1", got=f"{layer_decay:g}", advice="1 gives all the same rate"
            )

    def forward(self, pixels: Tensor) -> Tensor:
        """``(m, 3, s, s)`` RGB on 0…255 to ``(m, d)``."""
        x = pixels if pixels.is_floating_point() else pixels.float()
        if self.card.colour == "bgr":
            x = x.flip(1)
        x = self._each_picture(x) if self._each_picture is not None else normalised(x, self.card)
        if self.card.layout == "nhwc":
            x = x.permute(0, 2, 3, 1)
        return cast("Tensor", self.network(x)).flatten(1)

    def rate_shares(self) -> dict[nn.Parameter, float]:
        """Each weight's share of the learning rate."""
        top = self.network.layers - 1
        return {weight: self._decay ** (top - layer) for layer, weight in self.network.by_layer()}


def normalised(x: Tensor, card: ModelCard) -> Tensor:
    """Pixels as `sameface.encoders.normalising` gives them, by the card, channels first."""
    if card.normalisation == "none":
        return x
    if card.normalisation == "mean-std":
        mean, std = (x.new_tensor(values).view(1, 3, 1, 1) for values in (card.mean, card.std))
        return (x - mean) / std
    shift, scale = NORMALISATIONS[card.normalisation]
    return (x - shift) / scale

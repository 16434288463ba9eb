"""From a name to an encoder that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sameface.encoders.encoder import Encoder
from sameface.errors import ModelCardError
from sameface.models.cache import check_sha256
from sameface.models.card import ModelCard
from sameface.models.networks import converted, network_file
from sameface.models.registry import load_card
from sameface.progress import Share

#: The encoder that is used when none is named; why this one: docs/decisions/default-encoder.md.
DEFAULT_ENCODER: Final = "dlib-resnet-mirror-unit"


def load_encoder(
    name: str | Path = DEFAULT_ENCODER,
    *,
    device: str = "cpu",
    threads: int | None = None,
    progress: Share | None = None,
) -> Encoder:
    """Load an encoder.

    Args:
        name: the id of a model card, or the path of an ``.onnx`` file with its card (``.toml``) beside it.
        device: ``cpu`` or another that this machine has; one that is missing is an error, never a silent CPU.
        threads: threads of one run; None uses every core.
        progress: told how far a one-time conversion is, 0 to 1.

    Raises:
        UnknownModelError: no model of that name.
        ModelMissingError, ModelDamagedError: its weights are not here, or not the ones that the card pins.
        ModelCardError: the card does not fit the network, or is no encoder's.
        DeviceUnavailableError: the device is not there.
    """
    card = load_card(name)
    if card.kind != "encoder":
        raise ModelCardError(
            expected="an encoder", got=f"{card.id!r}, which is a {card.kind}", advice="see `sameface models list`"
        )
    if card.id == "pixels":
        from sameface.encoders.pixels import PixelsEncoder

        return PixelsEncoder(card)
    from sameface.encoders.onnx_encoder import OnnxEncoder

    network = _beside(Path(name), card) if str(name).endswith((".onnx", ".toml")) else None
    return OnnxEncoder(network or network_file(card, progress=progress), card, device=device, threads=threads)


def _beside(path: Path, card: ModelCard) -> Path | None:
    """The network next to a card that was given by path; None when the card runs another model's network."""
    network = path.with_suffix(".onnx")
    if not network.is_file():
        return None
    if not card.sha256:
        return network
    check_sha256(network, card.sha256, advice="use the file that its card pins")
    return converted(card, lambda: network)

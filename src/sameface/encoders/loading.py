"""From a name to an encoder that runs."""

from __future__ import annotations

from pathlib import Path

from sameface.defaults import DEFAULT_ENCODER
from sameface.encoders.encoder import Encoder
from sameface.errors import ModelCardError, UnknownModelError
from sameface.files import sha256_of
from sameface.models.cache import check_sha256
from sameface.models.card import ModelCard
from sameface.models.given import given_file
from sameface.models.networks import converted, network_file
from sameface.models.registry import added_ids, load_card, network_card
from sameface.progress import Share

#: The encoder that is used when none is named; why this one: docs/decisions/default-encoder.md.


def load_encoder(
    name: str | Path = DEFAULT_ENCODER,
    *,
    device: str = "cpu",
    threads: int | None = None,
    progress: Share | None = None,
) -> Encoder:
    """Load an encoder.

    Args:
        name: the id of a model card, or the path of an ``.onnx`` file with its card (``.toml``) beside it; the id of an encoder that was
            given as a file ends in the digest of what it computes.
        device: ``cpu`` or another that this machine has; one that is missing is an error, never a silent CPU.
        threads: threads of one run; None uses every core.
        progress: told how far a one-time conversion is, 0 to 1.

    Raises:
        UnknownModelError: no model of that name.
        ModelMissingError, ModelDamagedError: its weights are not here, or not the ones that the card pins.
        ModelCardError: the card does not fit the network, or is no encoder's.
        DeviceUnavailableError: the device is not there.
    """
    by_path = str(name).endswith((".onnx", ".toml"))
    if not by_path and (given := given_file(str(name))) is not None:
        encoder = load_encoder(given, device=device, threads=threads, progress=progress)
        if encoder.card.id == str(name):  # else it was replaced since, and may have been taken in before
            return encoder
    card = load_card(name) if by_path or "@" not in str(name) else _by_digest(str(name))
    if card.kind != "encoder":
        raise ModelCardError(
            expected="an encoder", got=f"{card.id!r}, which is a {card.kind}", advice="see `sameface models list`"
        )
    network = _beside(Path(name), card) if by_path else None
    if by_path:
        from sameface.models.identity import identified

        pinned = card.sha256 or network_card(card).sha256
        card = identified(card, pinned if network is None or card.sha256 else sha256_of(network))
    if card.id == "pixels":
        from sameface.encoders.pixels import PixelsEncoder

        return PixelsEncoder(card)
    from sameface.encoders.onnx_encoder import OnnxEncoder

    return OnnxEncoder(network or network_file(card, progress=progress), card, device=device, threads=threads)


def state_of(name: str | Path) -> tuple[object, ...]:
    """What changes when another network is put under a name or path: whoever keeps a loaded encoder keeps this with it."""
    if str(name).endswith((".onnx", ".toml")):
        files = (Path(name).with_suffix(ending) for ending in (".onnx", ".toml"))
        states = (file.stat() for file in files if file.is_file())
        return tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states)
    plain = str(name).partition("@")[0]
    return (repr(load_card(plain)),) if plain in added_ids() else ()


def _by_digest(identity: str) -> ModelCard:
    """The card of an added encoder that computes what an id with a digest says.

    Raises:
        UnknownModelError: there is none of that name, or it computes something else.
    """
    from sameface.models.identity import identified

    name = identity.partition("@")[0]
    if name in added_ids():
        card = load_card(name)
        found = identified(card, network_card(card).sha256)
        if found.id == identity:
            return found
    raise UnknownModelError(
        expected=f"the encoder {identity}: a network of that name whose weights and preprocessing have that digest",
        got=f"another network under the name {name}" if name in added_ids() else "none of that name",
        advice="take its file in with `sameface models add FILE`, which reads the card beside it",
    )


def _beside(path: Path, card: ModelCard) -> Path | None:
    """The network next to a card that was given by path; None when the card runs another model's network."""
    network = path.with_suffix(".onnx")
    if not network.is_file():
        return None
    if not card.sha256:
        return network
    check_sha256(network, card.sha256, advice="use the file that its card pins")
    return converted(card, lambda: network)

"""The ONNX file of an encoder: found as it is, or converted once from what its publisher gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sameface.errors import ModelCardError
from sameface.files import sha256_of
from sameface.models.cache import cached
from sameface.models.card import ModelCard
from sameface.models.registry import locate, network_card
from sameface.progress import Share

#: Raise when what `sameface.models.graphs` writes changes: it is part of the cached files' names.
ONNX_VERSION: Final = 2
EIGHT_BITS_VERSION: Final = 1
_RANGES = Path(__file__).with_name("ranges")


def network_file(card: ModelCard, *, progress: Share | None = None) -> Path:
    """The path of the ONNX network that a card runs.

    The first call converts what the publisher gives (a second or less) into the cache; later calls find it there by the digest that the
    card pins, without reading the source again. A file that is not pinned is run as it is.

    Args:
        card: an encoder that has weights.
        progress: told how far a conversion is; not called when there is nothing to convert.

    Raises:
        ModelMissingError: the weights are not on this machine.
        ModelDamagedError: they are not the file that the card pins.
        ModelCardError: the card names no weights.
    """
    owner = network_card(card)
    if len(owner.files) != 1:
        raise ModelCardError(
            expected="one weights file",
            got=f"{len(owner.files)} in the card {owner.id!r}",
            advice="correct the model card",
        )
    if not owner.files[0].name.endswith((".dat", ".onnx")):
        (weights,) = locate(owner)
        raise ModelCardError(
            expected=f"a network of {owner.id} that runs",
            got=f"{weights}, which holds weights alone",
            advice=f"take it in: `sameface models add {weights} --as NAME`, with the extra train installed",
        )
    if owner.files[0].name.endswith(".dat"):
        return _converted_from_dlib(card, owner, progress)
    if card.quantised and card.network:
        return _in_eight_bits(owner)
    return converted(owner, lambda: locate(owner)[0]) if owner.sha256 else locate(owner)[0]


def _converted_from_dlib(card: ModelCard, owner: ModelCard, progress: Share | None) -> Path:
    def convert(target: Path, announced: Share) -> None:
        from sameface.models.dlib_resnet import read_resnet
        from sameface.models.dlib_resnet_onnx import write_onnx

        def tell(share: float) -> None:
            announced(share)
            if progress is not None:
                progress(share)

        source = locate(owner)[0]
        weights = read_resnet(source.read_bytes(), str(source), lambda share: tell(0.5 * share))
        write_onnx(weights, target, ranges=read_ranges(owner.id) if card.quantised else None)
        tell(1.0)

    return cached(_dlib_name(card, owner), convert, what=owner.id)


def _dlib_name(card: ModelCard, owner: ModelCard) -> str:
    from sameface.models.dlib_resnet import CONVERTER_VERSION

    name = f"{owner.id}-{owner.sha256[:16]}-v{CONVERTER_VERSION}"
    return f"{name}-int8-{sha256_of(_RANGES / f'{owner.id}.json')[:8]}.onnx" if card.quantised else f"{name}.onnx"


def converted(owner: ModelCard, source: Callable[[], Path]) -> Path:
    """The form in which a pinned ONNX encoder is run.

    Args:
        owner: the card that pins the file.
        source: finds and checks the file; asked only where the form is not in the cache yet.

    Raises:
        ModelMissingError, ModelDamagedError: as `source`; or the file is no network that runs here.
    """

    def convert(target: Path, announced: Share) -> None:
        from sameface.models.graphs.converting import write_converted

        write_converted(source(), target, owner.input_size_wh)

    return cached(f"{owner.id}-{owner.sha256[:16]}-v{ONNX_VERSION}.onnx", convert, what=owner.id)


def _in_eight_bits(owner: ModelCard) -> Path:
    """The 8-bit form of a chain of convolutions, scaled by the ranges that come with sameface."""

    def convert(target: Path, announced: Share) -> None:
        from sameface.models.graphs.chain import read_chain
        from sameface.models.graphs.converting import read_tidily
        from sameface.models.graphs.eight_bits import prepared_chain, write_eight_bits

        values, channels = read_ranges(owner.id), read_channels(owner.id)
        chain = prepared_chain(read_chain(read_tidily(locate(owner)[0])), channels)
        target.write_bytes(write_eight_bits(chain, list(values.values())).SerializeToString())

    name = f"{owner.id}-{owner.sha256[:16]}-v{EIGHT_BITS_VERSION}"
    return cached(f"{name}-int8-{sha256_of(_RANGES / f'{owner.id}.json')[:8]}.onnx", convert, what=owner.id)


def read_channels(name: str) -> list[list[int]]:
    """For each layer of a chain, the factors that bring its channels to like ranges, in quarter octaves.

    Raises:
        ModelCardError: none were measured for that network.
    """
    return list(_measured(name).get("channels", {}).values())


def read_ranges(name: str) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each activation of a network, measured once; what its 8-bit form is scaled by.

    Raises:
        ModelCardError: none were measured for that network.
    """
    return {key: (low, high) for key, (low, high) in _measured(name)["ranges"].items()}


def _measured(name: str) -> dict[str, Any]:
    import json

    path = _RANGES / f"{name}.json"
    if not path.is_file():
        raise ModelCardError(
            expected=f"measured ranges for the 8-bit form of {name}",
            got="none",
            advice="make your own with `sameface models quantize`",
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

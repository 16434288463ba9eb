"""The encoder that a fine-tuning starts from: its card, and its graph with every weight in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from sameface.errors import ModelMissingError, SettingError
from sameface.files import sha256_of
from sameface.models.cache import check_sha256
from sameface.models.card import ModelCard
from sameface.models.graphs.converting import read_tidily
from sameface.models.graphs.sizes import free_sizes
from sameface.models.networks import network_file
from sameface.models.registry import load_card, locate, network_card


class BaseEncoder(NamedTuple):
    """What is fine-tuned.

    Attributes:
        card: the encoder's own.
        model: an ``onnx.ModelProto`` in float32, with a free batch.
        output: name of the output that holds the embedding.
        sha256: of the file that the graph came from.
    """

    card: ModelCard
    model: Any
    output: str
    sha256: str


def base_card(name: str) -> ModelCard:
    """The card of an encoder that can be fine-tuned.

    Args:
        name: an id, or the path of an ONNX file with its card beside it.

    Raises:
        SettingError: no encoder; or one whose embeddings are more than what its network gives, or whose weights are in 8 bits.
        UnknownModelError, ModelCardError: as `load_card`.
    """
    card = load_card(name)
    width, height = card.input_size_wh
    reasons = {
        f"{card.id}, a {card.kind}": card.kind != "encoder",
        f"{card.id}, which has no network": card.id == "pixels",
        f"{card.id}, which works on its network's embeddings afterwards": bool(card.crowd),
        f"{card.id}, whose weights are in 8 bits": bool(card.quantised),
        f"{card.id}, which takes {width} × {height} pixels": card.kind == "encoder" and width != height,
    }
    if wrong := [what for what, holds in reasons.items() if holds]:
        raise SettingError(
            expected="an encoder of square pictures, in float32, whose network gives its embeddings",
            got=wrong[0],
            advice="give --weights sface-2021dec-unit, or dlib-resnet-mirror-unit",
        )
    return card


def open_base(name: str) -> BaseEncoder:
    """Read an encoder's graph.

    Args:
        name: see `base_card`.

    Raises:
        ModelMissingError, ModelDamagedError: its weights are not here, or not those that the card pins.
        SettingError: see `base_card`.
    """
    import onnx

    card = base_card(name)
    owner = network_card(card)
    beside = Path(name).with_suffix(".onnx") if name.endswith((".onnx", ".toml")) else None
    if beside is not None and not card.network:
        if not beside.is_file():
            raise ModelMissingError(
                expected=f"a network at {beside}", got="nothing there", advice="give the path of the ONNX file"
            )
        if card.sha256:
            check_sha256(beside, card.sha256, advice="use the file that its card pins")
        model, source = read_tidily(beside), beside
    elif owner.files[0].name.endswith(".dat"):
        source = locate(owner)[0]
        model = onnx.load(str(network_file(owner)))
    else:
        source = locate(owner)[0]
        model = read_tidily(source)
    if model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1:
        free_sizes(model, {0}, outputs={0})
    return BaseEncoder(card, model, _embedding(model, card.dimension), sha256_of(source))


def _embedding(model: Any, dimension: int) -> str:
    """The output that holds the embedding: the only one, or the one of the card's dimension."""
    outputs = list(model.graph.output)
    if len(outputs) == 1:
        return str(outputs[0].name)
    sides = {item.name: [side.dim_value for side in item.type.tensor_type.shape.dim] for item in outputs}
    return next((name for name, shape in sides.items() if dimension in shape[1:]), str(outputs[0].name))

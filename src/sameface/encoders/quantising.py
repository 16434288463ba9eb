"""An 8-bit copy of an encoder: a few times faster where the processor multiplies bytes, at a measured price."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.encoders.crops import check_crops, scale_crops
from sameface.encoders.normalising import network_input
from sameface.errors import ModelCardError, NotEnoughDataError
from sameface.files import atomic_write, sha256_of
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.card_file import write_card
from sameface.models.networks import network_file
from sameface.models.registry import load_card, models_folder, network_card
from sameface.models.runtime import Session, quantise_network
from sameface.types import CropsRGB

#: Fewer faces than this do not show a network the values it will meet.
LEAST_CROPS: Final = 64
_BATCH: Final = 16


def quantise_encoder(name: str, crops_rgb: CropsRGB) -> ModelCard:
    """Quantise an encoder's network to 8 bits and keep it as an encoder of its own.

    Its id is the original's with ``-int8-`` and the first digits of the new weights' sha256: other crops give other weights, and vectors
    of different weights must not meet under one id.

    Args:
        name: id of a float32 encoder.
        crops_rgb: ``(n, h, w, 3)`` uint8 aligned crops of many people, none of whom is used to judge the result.

    Returns:
        The new card, stored in the folder of models.

    Raises:
        NotEnoughDataError: fewer than `LEAST_CROPS`.
        ModelCardError: not a float32 network.
        ModelDamagedError: the network cannot be quantised.
    """
    card = load_card(name)
    if card.kind != "encoder" or not network_card(card).files or card.quantised:
        raise ModelCardError(
            expected="a float32 encoder with a network", got=repr(card.id), advice="quantise the original encoder"
        )
    crops = check_crops(crops_rgb)
    if len(crops) < LEAST_CROPS:
        raise NotEnoughDataError(
            expected=f"at least {LEAST_CROPS} crops", got=str(len(crops)), advice="give photos of more people"
        )
    network = network_file(card)
    draft = models_folder() / f"{card.id}-int8.onnx"
    with atomic_write(draft, everybody=True) as part:
        quantise_network(network, part, _batches(network, card, crops))
    digest = sha256_of(draft)
    identity = f"{card.id}-int8-{digest[:6]}"
    final = draft.with_name(f"{identity}.onnx")
    draft.replace(final)
    stored = dataclasses.replace(
        card,
        id=identity,
        title=f"{card.title}, 8-bit",
        network="",
        package="",
        files=(WeightsFile(final.name, digest, final.stat().st_size),),
        quantised=f"int8, static, U8S8, per channel; ranges from {len(crops)} crops",
        published_threshold=None,
        measured=(),
    )
    with atomic_write(models_folder() / f"{identity}.toml", everybody=True) as part:
        part.write_text(write_card(stored), encoding="utf-8")
    return stored


def _batches(network: Path, card: ModelCard, crops: CropsRGB) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """What the encoder would feed, view by view."""
    session = Session(network)
    ((name, kind),) = session.input_types.items()
    for start in range(0, len(crops), _BATCH):
        part = scale_crops(crops[start : start + _BATCH], card.input_size_wh)
        for view in card.views:
            seen = np.ascontiguousarray(part[:, :, ::-1]) if view == "mirror" else part
            yield {name: network_input(seen, card, as_bytes=kind == "tensor(uint8)")}

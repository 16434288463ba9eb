"""Taking a user's own network into the folder of models."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np

from sameface.encoders.onnx_encoder import OnnxEncoder
from sameface.errors import ModelCardError, SettingError
from sameface.models.cache import atomic_write, sha256_of
from sameface.models.card import ModelCard, WeightsFile, write_card
from sameface.models.registry import added_ids, models_folder, shipped_ids


def add_encoder(network: Path, card: ModelCard) -> ModelCard:
    """Try a network as its card says, then keep both in the folder of models.

    Args:
        network: an ONNX file with its weights inside.
        card: complete but for `files`.

    Returns:
        The card as stored: with the file's name, size and digest.

    Raises:
        ModelCardError: the card does not fit the network, or different crops give the same embedding.
        SettingError: the id is taken.
        ModelDamagedError, StorageFullError: the network does not run; no room.
    """
    if card.id in (*shipped_ids(), *added_ids()):
        raise SettingError(
            expected="a new id",
            got=f"{card.id!r}, which is taken",
            advice="choose another id, or remove that model first",
        )
    encoder = OnnxEncoder(network, card)
    width, height = card.input_size_wh
    noise = np.random.default_rng(0).integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    first, second = encoder.encode(noise)
    if np.array_equal(first, second):
        raise ModelCardError(
            expected="different embeddings for different crops",
            got="the same twice",
            advice="check the network and its card",
        )
    name = f"{card.id}.onnx"
    stored = dataclasses.replace(
        card, files=(WeightsFile(name, sha256_of(network), network.stat().st_size),), package="", network=""
    )
    with atomic_write(models_folder() / name) as part:
        shutil.copyfile(network, part)
    with atomic_write(models_folder() / f"{card.id}.toml") as part:
        part.write_text(write_card(stored), encoding="utf-8")
    return stored

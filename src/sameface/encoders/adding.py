"""Taking a user's own network into the folder of models."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from sameface.encoders.trying import try_apart
from sameface.errors import ModelCardError, SettingError
from sameface.files import atomic_write, sha256_of
from sameface.models.card import ModelCard, WeightsFile, is_id
from sameface.models.card_file import write_card
from sameface.models.registry import added_ids, models_folder, shipped_ids


def add_encoder(network: Path, card: ModelCard) -> ModelCard:
    """Try a network as its card says, then keep both in the folder of models.

    Args:
        network: an ONNX file; weights that lie beside it are taken inside, so that one file is the model.
        card: complete but for `files`.

    Returns:
        The card as stored: with the file's name, size and digest.

    Raises:
        ModelCardError: the card does not fit the network, or different crops give the same embedding.
        SettingError: the id is taken.
        ModelDamagedError, StorageFullError: the network does not run, or not within its bounds; no room.
    """
    if not is_id(card.id):
        raise ModelCardError(
            expected="an id of lower-case letters, digits, dots and hyphens", got=repr(card.id), advice="choose another"
        )
    if card.id in (*shipped_ids(), *added_ids()):
        raise SettingError(
            expected="a new id",
            got=f"{card.id!r}, which is taken",
            advice="choose another id, or remove that model first",
        )
    try_apart(network, card)
    target = models_folder() / f"{card.id}.onnx"
    with atomic_write(target, everybody=True) as part:
        _copy_whole(network, part)
    file = WeightsFile(target.name, sha256_of(target), target.stat().st_size)
    stored = dataclasses.replace(card, files=(file,), package="", network="")
    with atomic_write(models_folder() / f"{card.id}.toml", everybody=True) as part:
        part.write_text(write_card(stored), encoding="utf-8")
    return stored


def _copy_whole(network: Path, target: Path) -> None:
    """Copy a network; with its external weights, if it has any, in the same file."""
    import onnx
    from onnx.external_data_helper import uses_external_data

    bare = onnx.load(str(network), load_external_data=False)
    if any(uses_external_data(item) for item in bare.graph.initializer):
        onnx.save_model(onnx.load(str(network)), str(target))
    else:
        shutil.copyfile(network, target)

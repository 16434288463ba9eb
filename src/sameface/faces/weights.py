"""The weights file that a detector's settings mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sameface.errors import ModelDamagedError, ModelMissingError
from sameface.faces.detector_spec import OnePassSettings
from sameface.files import sha256_of
from sameface.models.registry import cards, load_card, locate, models_folder

Settings = TypeVar("Settings", bound=OnePassSettings)


def weights_of(settings: Settings, model: Path | None) -> tuple[Path, Settings]:
    """The file, and the settings with its digest where it is not the card's.

    Args:
        settings: what they name in `OnePassSettings.weights` is looked for by content among the files in the folder of models.
        model: a file of one's own.

    Raises:
        ModelMissingError: no such file, or none with that digest.
        ModelDamagedError: the file has another digest than the settings name; or the card's file another than the card names.
    """
    if model is not None:
        if not model.is_file():
            raise ModelMissingError(expected=f"a network at {model}", got="nothing there", advice="check the path")
        digest = sha256_of(model)[:8]
        if settings.weights not in ("", digest):
            raise ModelDamagedError(
                expected=f"a weights file whose sha256 begins with {settings.weights}",
                got=f"{model}, whose sha256 begins with {digest}",
                advice="give the file that the gallery was made with",
            )
        return model, replace(settings, weights=digest)
    if not settings.weights:
        return locate(load_card(settings.card))[0], settings
    for card in cards("detector"):  # a file of one's own may be the published one
        if any(file.sha256.startswith(settings.weights) for file in card.files):
            return locate(card)[0], settings
    folder = models_folder()
    for path in sorted(folder.glob("*.onnx")) if folder.is_dir() else ():
        if sha256_of(path).startswith(settings.weights):
            return path, settings
    raise ModelMissingError(
        expected=f"the weights of {settings.id}: an ONNX file in {folder} whose sha256 begins with {settings.weights}",
        got="none",
        advice="put the file there, under any name",
    )

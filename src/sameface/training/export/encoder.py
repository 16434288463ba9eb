"""Out of training: an ONNX file with a model card beside it, from there on an encoder like any other."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from torch import nn

from sameface.errors import TrainingError
from sameface.files import atomic_write, sha256_of
from sameface.models.card import LandmarkScheme, Measurement, ModelCard, WeightsFile
from sameface.models.card_file import write_card
from sameface.models.runtime import Session
from sameface.training.export.deployed import Deployed
from sameface.training.networks.by_name import NetworkSpec
from sameface.training.networks.siamese import SiameseNetwork

#: The largest difference of any number of an embedding between PyTorch and ONNX Runtime.
TOLERANCE: Final = 1e-4
OPSET: Final = 20


def write_network(module: nn.Module, example: torch.Tensor, path: Path) -> float:
    """Write a network as ONNX and compare the two on the example.

    Args:
        module: maps ``(m, …)`` float32 to ``(m, d)`` float32.
        example: ``(2, …)`` or more; what both compute for the comparison.
        path: where to; replaced whole or not at all.

    Returns:
        The largest absolute difference of any output number.

    Raises:
        TrainingError: the exported network computes something else.
        StorageFullError: no room.
    """
    module = module.cpu().eval()
    batch = torch.export.Dim("m", min=1, max=4096)
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _uncollected():
        warnings.simplefilter("ignore")
        quiet.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=["pictures"],
                output_names=["embeddings"],
                dynamic_shapes=({0: batch},),
                verbose=False,
            )
        finally:
            quiet.setLevel(level)
    with atomic_write(path) as part:
        assert program is not None
        # One file, weights inside, and nothing of the machine it was made on.
        model = program.model_proto
        del model.metadata_props[:]
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        part.write_bytes(model.SerializeToString())
        with torch.no_grad():
            expected = module(example).numpy()
        (answer,) = Session(part).run({"pictures": example.numpy()})
    difference = float(np.abs(answer - expected).max())
    if not difference <= TOLERANCE:
        raise TrainingError(
            expected=f"the ONNX network within {TOLERANCE} of PyTorch's",
            got=f"{difference:.2g}",
            advice="train in float32, and look for layers that ONNX Runtime computes otherwise",
        )
    return difference


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Tracing makes a million objects and keeps them: to look through them for waste again and again is an eighth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def export_encoder(
    network: SiameseNetwork,
    spec: NetworkSpec,
    path: Path,
    *,
    title: str,
    training_data: str,
    licence: str = "as you decide",
    commercial_use: Literal["yes", "no", "unclear"] = "unclear",
    licence_note: str = "Trained by its user; the terms of the training photos decide.",
    landmarks: LandmarkScheme = "none",
    template: str = "none",
    measured: tuple[Measurement, ...] = (),
    directions: torch.Tensor | None = None,
) -> float:
    """Write ``name.onnx`` and its card ``name.toml``: `sameface.load_encoder("name.onnx")` then just works.

    The network takes RGB on 0…255 and does the rest itself, so the card needs no normalisation.

    Args:
        network: trained.
        spec: its description.
        path: ends in ``.onnx``; its stem, in lower case, becomes the id.
        title, training_data, licence, commercial_use, licence_note, measured: for the card.
        directions: see `Deployed`.
        landmarks, template: how crops were aligned in training; ``none`` for whole pictures.

    Returns:
        The largest difference to PyTorch's own output.

    Raises:
        ModelCardError: the name cannot be an id.
    """
    side = spec.picture_side
    deployed = Deployed(network, spec, directions=directions)
    card = ModelCard(
        id=path.stem.lower().replace("_", "-"),
        kind="encoder",
        title=title,
        licence=licence,
        commercial_use=commercial_use,
        licence_note=licence_note,
        source="sameface train",
        training_data=training_data,
        input_size_wh=(side, side),
        landmarks=landmarks,
        template=template,
        dimension=deployed.dimension,
        unit_length=spec.unit_length,
        measured=measured,
    )
    example = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0)) * 255
    difference = write_network(deployed, example, path)
    write_card_beside(card, path)
    return difference


def write_card_beside(card: ModelCard, path: Path) -> None:
    """Write ``name.toml`` beside ``name.onnx``, with the file's name, size and sha256 in it."""
    import dataclasses

    file = WeightsFile(path.name, sha256_of(path), path.stat().st_size)
    with atomic_write(path.with_suffix(".toml")) as part:
        part.write_text(write_card(dataclasses.replace(card, files=(file,))), encoding="utf-8")

"""A fine-tuned encoder as a file: the graph it came from with its new weights, a card, and a threshold of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from sameface.datasets import LabelledPhotos
from sameface.encoders import load_encoder
from sameface.errors import NotEnoughDataError, TrainingError
from sameface.evaluation.calibration import choose_operating_point
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.scores import MOST_PHOTOS_IN_PAIRS, score_all_pairs
from sameface.files import atomic_write
from sameface.models.card import Measurement
from sameface.models.operating_points import save_operating_point
from sameface.recognizer import Recognizer
from sameface.training.export.encoder import TOLERANCE, write_card_beside
from sameface.training.from_onnx import with_weights_of
from sameface.training.networks.siamese import SiameseNetwork
from sameface.training.pictures import Pictures
from sameface.training.tuning.backbone import EncoderBackbone
from sameface.training.tuning.base import open_base


def export_tuned(
    network: SiameseNetwork,
    weights: str,
    path: Path,
    *,
    title: str,
    training_data: str,
    measured: tuple[Measurement, ...],
) -> float:
    """Write ``name.onnx`` and ``name.toml``: crops, views and scaling are those of the encoder it came from.

    Args:
        network: an `EncoderBackbone` in its Siamese shell.
        weights: the encoder that was tuned.
        path: ends in ``.onnx``; its stem, in lower case, becomes the id, with the digest of what it computes behind it where it is used.
        title, training_data, measured: for the card.

    Returns:
        The largest difference between PyTorch's and ONNX Runtime's embeddings.

    Raises:
        TrainingError: the two differ by more than 1e-4, or the network is no encoder that was tuned.
    """
    backbone = network.cpu().eval().backbone
    if not isinstance(backbone, EncoderBackbone):
        raise TrainingError(
            expected="an encoder that was tuned", got=type(backbone).__name__, advice="export with export_encoder"
        )
    base = open_base(weights)
    card = dataclasses.replace(
        base.card,
        id=path.stem.lower().replace("_", "-"),
        title=title,
        source=f"sameface train --weights {base.card.id}; {base.card.source}",
        training_data=f"{training_data}; before: {base.card.training_data}",
        network="",
        package="",
        package_version="",
        extra="",
        published_threshold=None,
        measured=measured,
    )
    with atomic_write(path) as part:
        part.write_bytes(with_weights_of(backbone.network, base.model).SerializeToString())
    write_card_beside(card, path)
    return _difference(network, path)


def _difference(network: SiameseNetwork, path: Path) -> float:
    """Between the module and the file, on noise: all views, averaged and scaled as the card says."""
    encoder = load_encoder(path)
    side = encoder.card.input_size_wh[0]
    crops = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    pictures = torch.from_numpy(crops.transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        views = [network.backbone(pictures.flip(3) if view == "mirror" else pictures) for view in encoder.card.views]
        expected = torch.stack(views).mean(dim=0)
        if encoder.card.unit_length:
            expected = torch.nn.functional.normalize(expected, dim=1)
    difference = float(np.abs(encoder.encode(crops) - expected.numpy()).max())
    if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
        raise TrainingError(
            expected=f"the written network within {TOLERANCE} of the trained one",
            got=f"{difference:.2g}",
            advice="export again; report it if it stays so",
        )
    return difference


def own_operating_point(encoder: Path, detector: str, held_out: Pictures, data: str, path: Path) -> str | None:
    """Choose and write a threshold for FMR 1e-3 on the undamaged pictures of people who were not trained on.

    Args:
        encoder: the ONNX file.
        detector: what found the faces.
        held_out: their pictures.
        data: where they come from, in words.
        path: of the operating point.

    Returns:
        Why there is none; None where it was written.
    """
    recognizer = Recognizer(encoder=str(encoder), detector=detector)
    rows = torch.arange(min(len(held_out), MOST_PHOTOS_IN_PAIRS))
    parts = [
        recognizer.encoder.encode(held_out.pixels[some].permute(0, 2, 3, 1).contiguous().numpy())
        for some in torch.split(rows, 128)
    ]
    count = len(rows)
    photos = LabelledPhotos(
        data, tuple(Path(str(row)) for row in range(count)), held_out.labels[:count].astype(np.intp), held_out.people
    )
    embedded = EmbeddedPhotos(
        recognizer.space, np.concatenate(parts), np.ones(count, bool), ("",) * count, (), count, 0, 0.0
    )
    try:
        point = choose_operating_point(
            score_all_pairs(photos, embedded),
            recognizer.space,
            data=f"{data}, people held out from training",
            protocol="all pairs; the same people said when to stop training",
        )
    except NotEnoughDataError as error:
        return f"no threshold yet: {error.expected} needed, {error.got} held out"
    save_operating_point(point, path)
    return None

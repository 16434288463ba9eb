"""From a FaceNet file to an encoder in the user's folder of models."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final, NamedTuple

import torch

from sameface.errors import SettingError
from sameface.models.card import ModelCard
from sameface.training.export.deployed import Deployed
from sameface.training.export.encoder import write_card_beside, write_network
from sameface.training.facenet.keras_h5 import read_keras_h5
from sameface.training.facenet.pytorch_pt import read_facenet_pytorch
from sameface.training.intake import IntakeKind
from sameface.training.networks.by_name import NetworkSpec
from sameface.training.networks.inception_resnet_v1 import ConvNormRelu
from sameface.training.networks.siamese import SiameseNetwork


class _Origin(NamedTuple):
    intake: IntakeKind
    title: str
    data: str


#: How each origin feeds the network: pixels / 255 · each picture's own mean and deviation · (x − 127.5) / 128.
ORIGINS: Final[dict[str, _Origin]] = {
    "course": _Origin("unit", "FaceNet of the deep-learning course", "as keras-facenet's: MS-Celeb-1M"),
    "keras-facenet": _Origin("per-image", "FaceNet of keras-facenet and DeepFace", "MS-Celeb-1M"),
    "facenet-2018": _Origin(
        "centred",
        "FaceNet of 2018, as DeepFace's Facenet512",
        "VGGFace2 or CASIA-WebFace, by the file",
    ),
    "facenet-pytorch": _Origin("centred", "FaceNet of facenet-pytorch", "VGGFace2 or CASIA-WebFace, by the file"),
}
#: Side of the crops that these weights were made for; smaller ones (the course's 96×96) are scaled to it.
SIDE: Final = 160


def is_facenet_file(path: Path) -> bool:
    """Whether a name looks like one of these files: ``.h5``, ``.hdf5``, ``.pt`` or ``.pth``."""
    return path.suffix.lower() in {".h5", ".hdf5", ".pt", ".pth"}


def load_facenet(path: Path, preprocessing: str | None = None) -> tuple[Deployed, ModelCard]:
    """Read FaceNet weights as a module that takes pixels, with a card for it.

    Args:
        path: a Keras ``.h5`` file, or a ``.pt`` file of facenet-pytorch.
        preprocessing: how pictures were prepared where the weights came from. None takes facenet-pytorch's for ``.pt``,
            the course's for ``model.h5`` (with ``model.json`` beside it), keras-facenet's for other ``.h5`` files of 128 numbers; those of 512 came
            with fixed standardisation in 2018, from other photos.

    Raises:
        SettingError: another kind of file, or an unknown preprocessing.
        ModelMissingError, ModelDamagedError: see the readers.
    """
    if not is_facenet_file(path):
        raise SettingError(
            expected="a FaceNet file: .h5 or .pt",
            got=path.name,
            advice="add ONNX files with `sameface models add` as they are",
        )
    is_keras = path.suffix.lower() in {".h5", ".hdf5"}
    if preprocessing not in {None, *ORIGINS}:
        raise SettingError(
            expected=f"preprocessing {', '.join(ORIGINS)}",
            got=repr(preprocessing),
            advice="name where the weights came from",
        )
    network = read_keras_h5(path) if is_keras else read_facenet_pytorch(path)
    dimension = network.bottleneck.out_features
    if preprocessing is None:
        from_course = is_keras and path.stem == "model" and path.with_name("model.json").is_file()
        of_2018 = "facenet-2018" if dimension == 512 else "keras-facenet"
        preprocessing = "course" if from_course else of_2018 if is_keras else "facenet-pytorch"
    origin = ORIGINS[preprocessing]
    spec = NetworkSpec("inception_resnet_v1", SIDE, 3, dimension, intake=origin.intake)
    card = ModelCard(
        id="facenet",
        kind="encoder",
        title=f"{origin.title}, {dimension}-D",
        licence="of its publisher",
        commercial_use="unclear",
        licence_note=f"Code and weights were published under MIT; they learned from {origin.data}, whose terms are not.",
        source=f"{path.name}, added by the user",
        training_data=origin.data,
        input_size_wh=(SIDE, SIDE),
        # The weights saw boxes with a fifth of margin, unturned; these chips show as much of a face, upright.
        landmarks="dlib5",
        template="dlib-chip-0.25",
        dimension=dimension,
        unit_length=True,
    )
    return Deployed(SiameseNetwork(network), spec).eval(), card


def adopt_facenet(path: Path, to: Path, *, preprocessing: str | None = None) -> Path:
    """Read FaceNet weights and write them as ``name.onnx`` with a card; ``name``, in lower case, becomes the
    encoder's id.

    Args:
        path, preprocessing: as for `load_facenet`.
        to: the ONNX file to write.

    Returns:
        `to`.
    """
    module, card = load_facenet(path, preprocessing)
    card = dataclasses.replace(card, id=to.stem.lower().replace("_", "-"))
    example = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 255
    write_network(_folded(module), example, to)
    write_card_beside(card, to)
    return to


def _folded(module: Deployed) -> Deployed:
    """Each batch normalisation goes into the convolution before it. The exporter ends there too, after it has traced all 111 of them four times."""
    for part in module.modules():
        if isinstance(part, ConvNormRelu):
            part.fold()
    return module

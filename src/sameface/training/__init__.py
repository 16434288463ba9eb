"""Siamese networks, trained here: losses, mining, networks, the loop, and the way out to ONNX.

The only room that imports PyTorch. What it makes leaves it as an ONNX file with a model card, and from there on is
an encoder like any other.
"""

import os

from sameface.errors import ExtraMissingError
from sameface.files import cache_folder

# PyTorch's compiler makes a folder as soon as it is imported: beside our own files, unless its user chose a place.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "torch"))

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ExtraMissingError(
        expected="PyTorch, which training needs",
        got="an installation without it",
        advice='run `pip install "sameface[train]"`',
    ) from error

from sameface.training.augment import Augmentation, FaceAugmentation, NoAugmentation
from sameface.training.export import export_encoder
from sameface.training.loop.callbacks import Callback
from sameface.training.loop.device import choose_compute
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, TrainingResult
from sameface.training.losses import LossReport, make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network, own_network
from sameface.training.pictures import Pictures, split_by_person
from sameface.training.sampling import PeopleTimesPhotos, Sampler

__all__ = [
    "Augmentation",
    "Callback",
    "FaceAugmentation",
    "LossReport",
    "NetworkSpec",
    "NoAugmentation",
    "PeopleTimesPhotos",
    "Pictures",
    "Sampler",
    "SiameseNetwork",
    "Trainer",
    "TrainingResult",
    "TrainingSettings",
    "build_network",
    "choose_compute",
    "export_encoder",
    "make_loss",
    "own_network",
    "split_by_person",
]

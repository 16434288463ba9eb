"""Augmentation: changes that leave a picture the same person, for each domain its own."""

from sameface.training.augment.augmentation import Augmentation, NoAugmentation
from sameface.training.augment.by_name import augmentation
from sameface.training.augment.characters import CharacterAugmentation
from sameface.training.augment.faces import FaceAugmentation
from sameface.training.augment.plain import EachPicture, as_augmentation

__all__ = [
    "Augmentation",
    "CharacterAugmentation",
    "EachPicture",
    "FaceAugmentation",
    "NoAugmentation",
    "as_augmentation",
    "augmentation",
]

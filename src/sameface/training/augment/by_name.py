"""Augmentations by the names users type."""

from __future__ import annotations

from typing import Literal

from sameface.errors import SettingError
from sameface.training.augment.augmentation import Augmentation, NoAugmentation
from sameface.training.augment.camera import CameraAugmentation
from sameface.training.augment.characters import CharacterAugmentation
from sameface.training.augment.faces import FaceAugmentation

Domain = Literal["faces", "camera", "characters", "none"]


def augmentation(domain: str, size: int) -> Augmentation:
    """The augmentation of a domain.

    Args:
        domain: ``faces``, ``camera``, ``characters`` or ``none``.
        size: side of the network's pictures.
    """
    if domain == "faces":
        return FaceAugmentation()
    if domain == "camera":
        return CameraAugmentation()
    if domain == "characters":
        return CharacterAugmentation(size)
    if domain == "none":
        return NoAugmentation()
    raise SettingError(
        expected="augmentation faces, camera, characters or none",
        got=repr(domain),
        advice="use none where a mirror image is another thing",
    )

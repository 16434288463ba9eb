"""One look at one photo: do face and surroundings look like a living head, or like paper and screens?

Two small networks answer, each on its own scale. What they learned from was not published, and what they cannot do is known: a good screen
passes, a blurred living face fails, and a box moved by a few pixels changes the answer. It is one signal, never the whole answer
(docs/explanation/liveness.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sameface.faces.turning import into_turned
from sameface.imaging import ImageSource, Limits, Photo, open_photo
from sameface.liveness.patches import patch_of
from sameface.models.minifasnet import SIDE, minifasnet_network
from sameface.models.registry import load_card
from sameface.models.runtime import Session
from sameface.types import Detection, ImageRGB

#: Card of each network, and how much of the surroundings it was trained on.
NETWORKS: Final = (("minifasnet-v2", 2.7), ("minifasnet-v1se", 4.0))
#: The second of a network's three kinds is the living face.
_LIVING: Final = 1


@dataclass(frozen=True, slots=True)
class Liveness:
    """How much one photo of a face looks like a living head.

    Attributes:
        score: 0 (a picture of a face) to 1 (a living face), the mean over the networks.
        by_network: score of each network, by its card.
    """

    score: float
    by_network: tuple[tuple[str, float], ...]


class PassiveLiveness:
    """Both networks, loaded. Safe to use from several threads at once.

    Args:
        device, threads: see `sameface.models.runtime.Session`.
        limits: bytes and pixels that a photo may have.

    Raises:
        ModelMissingError, ModelDamagedError: the weights are not on this machine (`sameface models pull`), or not whole.
    """

    def __init__(self, *, device: str = "cpu", threads: int | None = 1, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._networks = [
            (name, scale, Session(minifasnet_network(load_card(name)), device=device, threads=threads))
            for name, scale in NETWORKS
        ]

    def judge(self, photo: ImageSource | Photo, faces: Sequence[Detection]) -> list[Liveness]:
        """Look at faces that were found.

        Args:
            photo: the whole photo: what is around a face matters as much as the face.
            faces: where they are in it.

        Returns:
            One answer for each face, in order.

        Raises:
            ImageError: the photo cannot be read.
        """
        image_rgb = open_photo(photo, limits=self._limits).image_rgb
        return [self._look(*_upright(image_rgb, face)) for face in faces]

    def _look(self, image_rgb: ImageRGB, face: Detection) -> Liveness:
        scores = []
        for name, scale, network in self._networks:
            (kinds,) = network.run({"image": patch_of(image_rgb, face.box, scale, SIDE)[None]})
            scores.append((name, float(kinds[0, _LIVING])))
        return Liveness(sum(score for _, score in scores) / len(scores), tuple(scores))


def _upright(image_rgb: ImageRGB, face: Detection) -> tuple[ImageRGB, Detection]:
    if not face.turns:
        return image_rgb, face
    height, width = image_rgb.shape[:2]
    return np.rot90(image_rgb, face.turns), into_turned(face, (width, height))

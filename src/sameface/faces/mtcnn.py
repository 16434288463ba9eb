"""Multi-task cascaded convolutional networks: propose, refine, output.

Source: Zhang, Zhang, Li, Qiao 2016, "Joint face detection and alignment using multitask cascaded convolutional networks".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sameface.faces.suppression import suppress
from sameface.models.mtcnn_weights import mtcnn_network
from sameface.models.runtime import Session
from sameface.types import Box, Detection, ImageRGB, Landmarks

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = npt.NDArray[np.float32]

#: P-Net sees 12×12 pixels and steps by 2.
_CELL: Final = 12
_STRIDE: Final = 2
_PYRAMID: Final = 0.709  # about 1/√2: half the area from one level to the next
#: Boxes that the refining network takes in one run; more are run in turns, so that memory stays flat.
_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class MtcnnSettings:
    """Everything that moves a box; a change makes another detector id.

    Attributes:
        smallest_face: pixels of the shorter side of the smallest face looked for.
        thresholds: face probability that each of the three networks asks for.
        longest_side: larger pictures are scaled down to this before they are searched; 0 never scales.
    """

    smallest_face: int = 20
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    longest_side: int = 1280


class Mtcnn:
    """The default detector. Safe to use from several threads at once.

    Args:
        settings: sizes and thresholds.
        device, threads: see `Session`.
    """

    def __init__(
        self, settings: MtcnnSettings | None = None, *, device: str = "cpu", threads: int | None = None
    ) -> None:
        self.settings = settings or MtcnnSettings()
        self._propose = Session(mtcnn_network("pnet"), device=device, threads=threads)
        self._refine = Session(mtcnn_network("rnet"), device=device, threads=threads)
        self._output = Session(mtcnn_network("onet"), device=device, threads=threads)

    @property
    def id(self) -> str:
        """``mtcnn``, and what differs from the usual settings."""
        usual, mine = MtcnnSettings(), self.settings
        parts = ["mtcnn"]
        if mine.smallest_face != usual.smallest_face:
            parts.append(f"min{mine.smallest_face}")
        if mine.thresholds != usual.thresholds:
            parts.append("t" + "-".join(f"{value:g}" for value in mine.thresholds))
        if mine.longest_side != usual.longest_side:
            parts.append(f"side{mine.longest_side}")
        return "/".join(parts)

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """All faces, most confident first."""
        from PIL import Image

        height, width = image_rgb.shape[:2]
        scale = 1.0
        image = Image.fromarray(image_rgb)
        if 0 < self.settings.longest_side < max(height, width):
            scale = self.settings.longest_side / max(height, width)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        boxes, scores = self._proposals(image)
        boxes, scores, _ = self._refined(self._refine, image, boxes, 24, self.settings.thresholds[1])
        keep = suppress(boxes, scores, 0.7)
        boxes, scores, points = self._refined(self._output, image, boxes[keep], 48, self.settings.thresholds[2])
        keep = suppress(boxes, scores, 0.7, of_smaller=True)
        back = np.array([width / image.width, height / image.height] * 2, np.float32)
        return [
            Detection(
                Box(*(float(value) for value in boxes[i] * back)),
                float(scores[i]),
                Landmarks("arcface5", (points[i] * back[:2]).astype(np.float32)),
            )
            for i in keep
        ]

    def _proposals(self, image: Image) -> tuple[Floats, Floats]:
        """Where the first network, slid over a pyramid of scales, sees faces."""
        from PIL import Image as Pillow

        found: list[tuple[Floats, Floats]] = []
        scale = _CELL / self.settings.smallest_face
        level = image
        while True:
            size = round(image.width * scale), round(image.height * scale)
            if min(size) < _CELL:
                break
            level = level.resize(size, Pillow.Resampling.BILINEAR)
            face, offsets = self._propose.run({"image": _batch([level])})
            rows, columns = np.nonzero(face[0] >= self.settings.thresholds[0])
            if rows.size:
                step = np.array([image.width / size[0], image.height / size[1]] * 2, np.float32)
                corners = np.stack([columns, rows, columns, rows], axis=1) * _STRIDE + np.array([0, 0, _CELL, _CELL])
                scores = face[0][rows, columns]
                boxes = _moved(corners.astype(np.float32), offsets[0][:, rows, columns].T) * step
                keep = suppress(corners.astype(np.float32), scores, 0.5)
                found.append((boxes[keep], scores[keep]))
            scale *= _PYRAMID
        if not found:
            return np.empty((0, 4), np.float32), np.empty(0, np.float32)
        boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        keep = suppress(boxes, scores, 0.7)
        return boxes[keep], scores[keep]

    def _refined(
        self, network: Session, image: Image, boxes: Floats, size: int, threshold: float
    ) -> tuple[Floats, Floats, Floats]:
        """Boxes that a network confirms, moved by its offsets; with its points where it gives them."""
        if not len(boxes):
            return boxes, np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)
        squares = _squared(boxes)
        outputs = [
            network.run({"image": _batch(_cut(image, squares[start : start + _BATCH], size))})
            for start in range(0, len(squares), _BATCH)
        ]
        face, offsets, *points = (np.concatenate(part) for part in zip(*outputs, strict=True))
        scores = face.reshape(-1)
        keep = scores >= threshold
        squares, scores = squares[keep], scores[keep]
        landmarks = np.empty((len(squares), 5, 2), np.float32)
        if points:
            share = points[0].reshape(-1, 2, 5)[keep].transpose(0, 2, 1)  # x of all five, then y of all five
            sides = (squares[:, 2:] - squares[:, :2])[:, None]
            landmarks = squares[:, None, :2] + share * sides
        return _moved(squares, offsets.reshape(-1, 4)[keep]), scores, landmarks


def _batch(pictures: list[Image]) -> Floats:
    """``(n, 3, h, w)`` float32 0…255."""
    return np.stack([np.asarray(picture) for picture in pictures]).transpose(0, 3, 1, 2).astype(np.float32)


def _moved(boxes: Floats, offsets: Floats) -> Floats:
    """Boxes with each edge moved by a share of the box's own size."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(sides, 2)


def _squared(boxes: Floats) -> Floats:
    """The square of the longer side around each box's middle."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def _cut(image: Image, squares: Floats, size: int) -> list[Image]:
    """Each square as a picture of its own, black where it leaves the image."""
    from PIL import Image as Pillow

    pieces = []
    for x1, y1, x2, y2 in squares.tolist():
        left, top, right, bottom = int(np.floor(x1)), int(np.floor(y1)), int(np.ceil(x2)), int(np.ceil(y2))
        piece = image.crop((left, top, right, bottom))  # Pillow fills what lies outside with black
        pieces.append(
            piece.resize((size, size), Pillow.Resampling.BILINEAR, (x1 - left, y1 - top, x2 - left, y2 - top))
        )
    return pieces

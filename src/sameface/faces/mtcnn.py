"""Multi-task cascaded convolutional networks: propose, refine, output.

Source: Zhang, Zhang, Li, Qiao 2016, "Joint face detection and alignment using multitask cascaded convolutional networks".
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from sameface.faces.detector_spec import MtcnnSettings
from sameface.faces.pyramid import Pyramid
from sameface.faces.suppression import covers, suppress
from sameface.imaging.memory import keep_blocks
from sameface.models.mtcnn_weights import mtcnn_network
from sameface.models.runtime import Session
from sameface.types import Box, Detection, ImageRGB, Landmarks

Floats = npt.NDArray[np.float32]

#: P-Net sees 12×12 pixels and steps by 2.
_CELL: Final = 12
_STRIDE: Final = 2
_REFINED, _OUTPUT = 24, 48
#: Windows that a network takes in one run; more are run in turns, so that memory stays flat.
_BATCH: Final = 128
#: Windows that get a second look in one photo, the surest of the second network's first.
_LOOKS: Final = 32


class _Faces(NamedTuple):
    """What the third network said: boxes ``(n, 4)``, logits ``(n,)``, points ``(n, 5, 2)``, in photo pixels."""

    boxes: Floats
    logits: Floats
    points: Floats

    @classmethod
    def none(cls) -> _Faces:
        return cls(*(np.empty((0, *shape), dtype=np.float32) for shape in ((4,), (), (5, 2))))

    def distinct(self) -> _Faces:
        """Each face once, the surest first."""
        keep = suppress(self.boxes, self.logits, 0.7, of_smaller=True)
        return _Faces(*(part[keep] for part in self))

    def joined(self, others: _Faces) -> _Faces:
        """These and others, the surest first; nothing is dropped."""
        if not len(others.logits):
            return self
        parts = [np.concatenate(pair) for pair in zip(self, others, strict=True)]
        order = np.argsort(-parts[1], kind="stable")
        return _Faces(*(part[order] for part in parts))


class Mtcnn:
    """The default detector. Safe to use from several threads at once.

    Args:
        settings: sizes and thresholds.
        device, threads: see `Session`.
    """

    sure = 0.99
    search_side = None  # the third network looks at the photo itself

    def __init__(
        self, settings: MtcnnSettings | None = None, *, device: str = "cpu", threads: int | None = None
    ) -> None:
        keep_blocks()
        self.settings = settings or MtcnnSettings()
        self._propose = Session(mtcnn_network("pnet"), device=device, threads=threads)
        self._refine = Session(mtcnn_network("rnet"), device=device, threads=threads)
        self._output = Session(mtcnn_network("onet"), device=device, threads=threads)
        self._logits = [_logit(value) for value in self.settings.thresholds]

    @property
    def id(self) -> str:
        """See `MtcnnSettings`."""
        return self.settings.id

    def smallest_in(self, width: int, height: int) -> float:
        """The smallest face that is looked for in a photo of this size, in pixels."""
        bound = _CELL * max(width, height) / self.settings.search_side if self.settings.search_side else 0.0
        return max(float(self.settings.smallest_face), float(_CELL), bound)

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """All faces, most confident first.

        The third network sees one window of each group that overlaps. On profiles it often refuses that one and would take another. So
        windows that the second network is sure of get a second look where no face was found, each as it is and mirrored; the mean decides.
        That adds faces and moves no box (docs/decisions/second-look.md).
        """
        height, width = image_rgb.shape[:2]
        if min(height, width) < _CELL:
            return []
        image = Image.fromarray(image_rgb)
        # A photo smaller than the smallest face is searched as a whole.
        scale = min(1.0, max(_CELL / self.smallest_in(width, height), _CELL / min(width, height)))
        pyramid = Pyramid(image, scale, _CELL)
        squares = _squared(self._proposals(pyramid))
        if not len(squares):
            return []
        crops = pyramid.crops(squares, _REFINED)
        windows, sure, _ = _confirmed(self._refine, crops, squares, self._logits[1])
        squares = _squared(windows[suppress(windows, sure, 0.7)])
        if not len(squares):
            return []
        faces = _Faces(*_confirmed(self._output, _cut(image, squares, _OUTPUT), squares, self._logits[2])).distinct()
        if self.settings.second_look is not None:
            faces = faces.joined(self._second_look(image, windows, sure, faces.boxes, self.settings.second_look))
        return [
            Detection(
                Box(*(float(edge) for edge in box)), 1 / (1 + math.exp(-float(logit))), Landmarks("arcface5", points)
            )
            for box, logit, points in zip(*faces, strict=True)
        ]

    def _second_look(self, image: Image.Image, windows: Floats, sure: Floats, found: Floats, least: float) -> _Faces:
        """Faces in the second network's windows that lie in none of the boxes found, both networks being surer than usual."""
        logit = _logit(least)
        middles = (windows[:, :2] + windows[:, 2:]) / 2
        inside = (found[None, :, :2] < middles[:, None]) & (middles[:, None] < found[None, :, 2:])
        free = np.flatnonzero((sure >= logit) & ~np.any(np.all(inside, axis=2), axis=1))
        squares = _squared(windows[free[np.argsort(-sure[free], kind="stable")[:_LOOKS]]])
        if not len(squares):
            return _Faces.none()
        crops = _cut(image, squares, _OUTPUT)
        boxes, plain, points = _confirmed(self._output, crops, squares, -math.inf)
        _, mirrored, _ = _confirmed(self._output, np.ascontiguousarray(crops[:, :, ::-1]), squares, -math.inf)
        both = (plain + mirrored) * np.float32(0.5)
        # Among very small windows, buttons and flowers are taken for faces.
        keep = (both >= logit) & (boxes[:, 3] - boxes[:, 1] >= self.smallest_in(*image.size))
        keep &= ~covers(boxes, found, 0.5, of_smaller=True).any(axis=1)
        return _Faces(boxes[keep], both[keep], points[keep]).distinct()

    def _proposals(self, pyramid: Pyramid) -> Floats:
        """Where the first network, slid over all scales at once, sees faces: boxes in photo pixels."""
        face, offsets = self._propose.run({"image": pyramid.area()})
        logits, offsets = face[0, 0], offsets[0]
        found: list[tuple[Floats, Floats]] = []
        for level in pyramid.searched:
            top, left = level.top // _STRIDE, level.left // _STRIDE
            rows, columns = (level.height - _CELL) // _STRIDE + 1, (level.width - _CELL) // _STRIDE + 1
            here = logits[top : top + rows, left : left + columns]
            y, x = np.nonzero(here >= self._logits[0])
            if not y.size:
                continue
            scores = here[y, x]
            corners = np.stack([x, y, x, y], axis=1).astype(np.float32) * _STRIDE
            corners[:, 2:] += _CELL
            keep = suppress(corners, scores, 0.5)
            moved = corners[keep] + offsets[:, top + y[keep], left + x[keep]].T * _CELL
            found.append((moved / np.tile(np.array(level.scale_xy, dtype=np.float32), 2), scores[keep]))
        if not found:
            return np.empty((0, 4), dtype=np.float32)
        boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return np.asarray(boxes[suppress(boxes, scores, 0.7)])


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _confirmed(network: Session, crops: ImageRGB, squares: Floats, least: float) -> tuple[Floats, Floats, Floats]:
    """Boxes that a network confirms, moved by its offsets; their logits; its points where it gives them."""
    outputs = [network.run({"image": crops[start : start + _BATCH]}) for start in range(0, len(crops), _BATCH)]
    face, offsets, *points = (np.concatenate(part) for part in zip(*outputs, strict=True))
    scores = face.reshape(-1)
    keep = scores >= least
    squares = squares[keep]
    sides = squares[:, 2:] - squares[:, :2]
    moved = squares + offsets.reshape(-1, 4)[keep] * np.tile(sides, 2)
    landmarks = np.empty((len(squares), 5, 2), dtype=np.float32)
    if points:
        share = points[0].reshape(-1, 2, 5)[keep].transpose(0, 2, 1)  # x of all five, then y of all five
        landmarks = squares[:, None, :2] + share * sides[:, None]
    return moved, scores[keep], landmarks


def _squared(boxes: Floats) -> Floats:
    """The square of the longer side around each box's middle."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def _cut(image: Image.Image, squares: Floats, size: int) -> ImageRGB:
    """Each square as a picture of its own, black where it leaves the photo."""
    pieces = np.empty((len(squares), size, size, 3), dtype=np.uint8)
    for piece, (x1, y1, x2, y2) in zip(pieces, squares.tolist(), strict=True):
        left, top, right, bottom = math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)
        inside = (x1 - left, y1 - top, x2 - left, y2 - top)
        cut = image.crop((left, top, right, bottom))  # Pillow fills what lies outside with black
        piece[:] = np.asarray(cut.resize((size, size), Image.Resampling.BILINEAR, inside, reducing_gap=2.0))
    return pieces

"""What the one-pass detectors (YuNet, SCRFD) share: a bounded, padded input, anchors on a grid, suppression."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sameface.faces.suppression import suppress
from sameface.imaging.photo import shrunk
from sameface.types import Box, Detection, ImageRGB, Landmarks

Floats = npt.NDArray[np.float32]

#: Sides of the network's input are multiples of its coarsest stride.
MULTIPLE: Final = 32


class Scaled(NamedTuple):
    """A picture as the network sees it.

    Attributes:
        canvas: ``(h, w, 3)`` uint8 RGB, sides multiples of 32, black at the bottom and right.
        back_xy: factors from its pixels to the photo's.
    """

    canvas: ImageRGB
    back_xy: Floats


class Found(NamedTuple):
    """Raw answers in canvas pixels: boxes ``(n, 4)``, scores ``(n,)``, points ``(n, 5, 2)``."""

    boxes: Floats
    scores: Floats
    points: Floats


def bounded(image_rgb: ImageRGB, longest_side: int) -> Scaled | None:
    """Scale a photo down to a longest side, where it is larger, and pad it; None when it has no pixels."""
    height, width = image_rgb.shape[:2]
    if not height or not width:
        return None
    small = shrunk(image_rgb, longest_side)
    rows, columns = small.shape[:2]
    back = np.array([width / columns, height / rows], dtype=np.float32)
    if rows % MULTIPLE or columns % MULTIPLE:
        canvas = np.zeros((-(-rows // MULTIPLE) * MULTIPLE, -(-columns // MULTIPLE) * MULTIPLE, 3), dtype=np.uint8)
        canvas[:rows, :columns] = small
        return Scaled(canvas, back)
    return Scaled(small, back)


def cells(numbers: npt.NDArray[np.intp], columns: int, anchors: int = 1) -> Floats:
    """Column and row of cells of a grid that is numbered row by row, ``(m, 2)``.

    >>> cells(np.array([0, 2, 3]), 3).tolist()
    [[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]
    """
    y, x = np.divmod(numbers // anchors, columns)
    return np.stack([x, y], axis=1).astype(np.float32)


def finish(found: list[Found], back_xy: Floats, overlap: float) -> list[Detection]:
    """Suppress, scale back to the photo, and name the points."""
    boxes, scores, points = (np.concatenate(part) for part in zip(*found, strict=True))
    keep = suppress(boxes, scores, overlap)
    boxes, points = boxes[keep] * np.tile(back_xy, 2), points[keep] * back_xy
    return [
        Detection(
            Box(*(float(edge) for edge in box)), min(1.0, float(score)), Landmarks("arcface5", five.astype(np.float32))
        )
        for box, score, five in zip(boxes, scores[keep], points, strict=True)
    ]


def joined(found: list[Found]) -> Found:
    """Several answers as one."""
    return Found(*(np.concatenate(part) for part in zip(*found, strict=True)))

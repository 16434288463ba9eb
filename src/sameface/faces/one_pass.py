"""How the one-pass detectors (YuNet, SCRFD) search: the whole photo at one size and, where small faces are asked for, larger copies in tiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

import numpy as np

from sameface.faces.detector_spec import OnePassSettings
from sameface.faces.single_shot import Floats, Found, bounded, finish, joined
from sameface.faces.suppression import suppress
from sameface.faces.tiles import Tile, sides_of, smallest_in, tiles_of
from sameface.imaging.photo import shrunk
from sameface.types import Detection, ImageRGB

#: Share of the smaller of two boxes, found in tiles, from which on they are of one face.
_PART: Final = 0.6


class OnePass(ABC):
    """What YuNet and SCRFD are beside their networks. Safe to use from several threads at once.

    Attributes:
        settings: sizes and thresholds.
        id, sure, search_side: see `Detector`.
    """

    sure: float
    settings: OnePassSettings

    @property
    def id(self) -> str:
        return self.settings.id

    @property
    def search_side(self) -> int | None:
        return None if self.settings.smallest_face else self.settings.longest_side

    def smallest_in(self, width: int, height: int) -> float:
        """The smallest face that is mostly found in a photo of this size, in pixels."""
        return smallest_in(self.settings, width, height)

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """All faces, most confident first."""
        scaled = bounded(image_rgb, self.settings.longest_side)
        if scaled is None:
            return []
        found = self._look(scaled.canvas)
        height, width = image_rgb.shape[:2]
        sides = sides_of(self.settings, width, height)
        if not sides:
            return finish([found], scaled.back_xy, self.settings.overlap)
        every = [_in_photo(found, scaled.back_xy)]
        for side in sides:
            every += self._in_tiles(shrunk(image_rgb, side), (width, height))
        return finish([_each_once(every)], np.ones(2, dtype=np.float32), self.settings.overlap)

    def _in_tiles(self, copy_rgb: ImageRGB, size_wh: tuple[int, int]) -> Iterator[Found]:
        rows, columns = copy_rgb.shape[:2]
        back_xy = np.array([size_wh[0] / columns, size_wh[1] / rows], dtype=np.float32)
        for tile in tiles_of(columns, rows, self.settings.longest_side):
            part = bounded(copy_rgb[tile.top : tile.bottom, tile.left : tile.right], self.settings.longest_side)
            if part is not None:
                corner = np.array([tile.left, tile.top], dtype=np.float32)
                yield _in_photo(_whole_faces(self._look(part.canvas), tile), back_xy, corner)

    @abstractmethod
    def _look(self, canvas_rgb: ImageRGB) -> Found:
        """What the network says about one picture whose sides are multiples of 32, above the threshold."""


def _in_photo(found: Found, back_xy: Floats, corner_xy: Floats | None = None) -> Found:
    corner = np.zeros(2, dtype=np.float32) if corner_xy is None else corner_xy
    boxes = (found.boxes + np.tile(corner, 2)) * np.tile(back_xy, 2)
    return Found(boxes, found.scores, (found.points + corner) * back_xy)


def _whole_faces(found: Found, tile: Tile) -> Found:
    """Without those that reach over an edge within the copy: the neighbouring tile shows them whole."""
    width, height = tile.right - tile.left, tile.bottom - tile.top
    reach = np.stack(
        [found.boxes[:, 0] < 0, found.boxes[:, 1] < 0, found.boxes[:, 2] > width, found.boxes[:, 3] > height], axis=1
    )
    keep = ~(reach & np.array(tile.inner)).any(axis=1)
    return Found(*(part[keep] for part in found))


def _each_once(found: list[Found]) -> Found:
    """Each face once: a box mostly within a surer one is a part of the same face, or the same face at another scale."""
    every = joined(found)
    keep = suppress(every.boxes, every.scores, _PART, of_smaller=True)
    return Found(*(part[keep] for part in every))

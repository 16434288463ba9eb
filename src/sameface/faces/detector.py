"""What every face detector is to the rest of the house."""

from __future__ import annotations

from typing import Protocol

from sameface.types import Detection, ImageRGB


class Detector(Protocol):
    """Finds faces. Safe to use from several threads at once.

    Attributes:
        id: names the weights and every setting that moves a box; part of each template.
        sure: from this confidence on a face is upright as it stands; below it, other orientations are asked (`upright`). 0 asks none.
        search_side: pixels of the longest side that it works at: what it finds in a larger photo it finds in one that `Photo.at_most` scaled
            down to this. None takes photos whole.
    """

    @property
    def id(self) -> str: ...

    @property
    def sure(self) -> float: ...

    @property
    def search_side(self) -> int | None: ...

    def smallest_in(self, width: int, height: int) -> float:
        """The smallest face that is mostly found in a photo of this size, in pixels."""
        ...

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """All faces of a picture, most confident first; none is an empty list.

        Args:
            image_rgb: ``(h, w, 3)`` uint8 RGB, any size.
        """
        ...

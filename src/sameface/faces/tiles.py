"""Small faces in large photos: the photo is searched in tiles, at every scale from the whole down to the smallest face asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sameface.faces.detector_spec import OnePassSettings

#: Pixels of the smallest face that a one-pass detector mostly finds, at the scale that it sees. Source: docs/benchmarks.md, "Detectors".
SEEN: Final = 24
#: From one scale to the next. Faces that one scale misses for their size have at most so many times `SEEN` pixels in the next, and fit into
#: the overlap of its tiles.
_STEP: Final = 4.0
_OVERLAP: Final = 1.3 * SEEN * _STEP


class Tile(NamedTuple):
    """A part of a scaled copy: where it begins and ends, and which of its edges lie inside the copy."""

    left: int
    top: int
    right: int
    bottom: int
    inner: tuple[bool, bool, bool, bool]


def smallest_in(settings: OnePassSettings, width: int, height: int) -> float:
    """The smallest face that is mostly found in a photo of this size, in pixels.

    >>> from sameface.faces.detector_spec import YunetSettings
    >>> smallest_in(YunetSettings(), 8000, 2000), smallest_in(YunetSettings(smallest_face=60), 8000, 2000)
    (300.0, 60.0)
    """
    whole = SEEN * max(1.0, max(width, height) / settings.longest_side)
    return min(whole, float(max(settings.smallest_face, SEEN))) if settings.smallest_face else whole


def sides_of(settings: OnePassSettings, width: int, height: int) -> list[int]:
    """The longest sides of the copies that are searched in tiles, the smallest first; none where the whole shows such faces already.

    >>> from sameface.faces.detector_spec import YunetSettings
    >>> sides_of(YunetSettings(smallest_face=60), 8000, 2000), sides_of(YunetSettings(smallest_face=60), 1600, 900)
    ([2560, 3200], [])
    """
    if not settings.smallest_face:
        return []
    longest = max(width, height)
    wanted = min(longest, round(longest * SEEN / max(settings.smallest_face, SEEN)))
    sides = []
    side = float(settings.longest_side)
    while side < wanted:
        side = min(side * _STEP, wanted)
        sides.append(round(side))
    return sides


def tiles_of(width: int, height: int, side: int) -> Iterator[Tile]:
    """Squares of that side that cover a copy and overlap, row by row."""
    for top in _starts(height, side):
        for left in _starts(width, side):
            right, bottom = min(width, left + side), min(height, top + side)
            yield Tile(left, top, right, bottom, (left > 0, top > 0, right < width, bottom < height))


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin: evenly spread, so that no two overlap by less than they must."""
    if length <= side:
        return [0]
    step = max(1.0, side - min(_OVERLAP, side / 2))
    count = -(-(length - side) // step) + 1
    return [round(place * (length - side) / (count - 1)) for place in range(int(count))]

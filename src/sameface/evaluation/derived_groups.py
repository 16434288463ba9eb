"""Groups that photos themselves give: faces turned aside, small, blurred.

Each has two values on either side of a limit, so that the group table says what a kind of photo costs. A face that was not found is in none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from sameface.datasets.photo import Photo, source_of
from sameface.errors import SettingError
from sameface.faces.quality import judge_face, turned_aside
from sameface.imaging import open_photo
from sameface.types import Detection


@dataclass(frozen=True, slots=True)
class Grouping:
    """A kind of photo: what the two sides of its limit are called, and the limit itself.

    Attributes:
        below, above: names of the sides.
        limit: values from it on are above.
        unit: of the limit, in words.
    """

    below: str
    above: str
    limit: float
    unit: str


#: Limits in the units of `sameface.faces.quality`; docs/explanation/groups.md says what they part on LFW.
GROUPINGS: Final[Mapping[str, Grouping]] = {
    "turned": Grouping("frontal", "turned", 0.5, "0 from the front, 1 when the nose stands over an eye"),
    "small": Grouping("small", "large", 60, "longer side of the face in pixels"),
    "blurred": Grouping("blurred", "sharp", 0.2, "deviation of the Laplacian over that of the grey levels"),
}


def read_groupings(text: str) -> dict[str, Grouping]:
    """Groupings as they are typed, each with a limit of its own where one is given.

    Raises:
        SettingError: another name, or a limit that is no number above 0.

    >>> read_groupings("turned, small=80")["small"].limit
    80.0
    """
    found: dict[str, Grouping] = {}
    for part in text.split(","):
        name, given, limit = (piece.strip() for piece in part.partition("="))
        known = GROUPINGS.get(name)
        try:
            value = float(limit) if given else 0.0
        except ValueError:
            value = -1.0
        if known is None or (given and not 0 < value < float("inf")):
            raise SettingError(
                expected=f"groups among {', '.join(GROUPINGS)}, as NAME or NAME=LIMIT",
                got=repr(part.strip()),
                advice="for instance turned,small=80",
            )
        found[name] = Grouping(known.below, known.above, value, known.unit) if given else known
    return found


def derive_groups(
    photos: Sequence[Photo],
    faces: Sequence[Detection | None],
    wanted: Mapping[str, Grouping],
    *,
    workers: int | None = None,
) -> dict[str, tuple[str, ...]]:
    """The side of each photo's face, by grouping.

    Args:
        photos: read again only where sharpness is asked for.
        faces: the face of each photo, None where none was found.
        wanted: the groupings by name.
        workers: photos worked on at once; None takes one per core.

    Returns:
        ``(n,)`` names by grouping, "" for a photo without a face, or without the points that a turn is read from.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for name, grouping in wanted.items():
        if name == "blurred":
            with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
                values: list[float | None] = list(pool.map(_sharpness, photos, faces))
        elif name == "small":
            values = [None if face is None else max(face.box.width, face.box.height) for face in faces]
        else:
            values = [
                None if face is None or face.landmarks is None else turned_aside(face.landmarks) for face in faces
            ]
        groups[name] = tuple(
            "" if value is None else grouping.below if value < grouping.limit else grouping.above for value in values
        )
    return groups


def _sharpness(photo: Photo, face: Detection | None) -> float | None:
    if face is None:
        return None
    return judge_face(open_photo(source_of(photo)), face).sharpness

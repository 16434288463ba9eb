"""Which face of a photo is meant, and in which order several are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, cast, get_args

from sameface.errors import FaceTooSmallError, NoFaceError, SettingError, SeveralFacesError
from sameface.types import Detection

#: ``only``: the one face, and an error when there are several. ``centre``: the one nearest the middle. ``largest``.
Choice = Literal["only", "centre", "largest"]

#: Below this many pixels between the sides of a box, a face holds too little to tell people apart.
SMALLEST_SIDE: Final = 16
#: Smaller faces are looked for in most photos; only larger limits are named in errors.
_WORTH_SAYING: Final = 100


def as_choice(word: object) -> Choice:
    """A word as a choice.

    Raises:
        SettingError: another word.
    """
    if word not in get_args(Choice):
        raise SettingError(
            expected=f"a choice among {', '.join(get_args(Choice))}", got=repr(word), advice="use one of those"
        )
    return cast(Choice, word)


def choose_face(
    detections: Sequence[Detection],
    size_wh: tuple[int, int],
    choose: Choice = "only",
    *,
    source: str = "",
    smallest: float = 0.0,
) -> Detection:
    """The one face that is meant.

    Args:
        detections: all faces of the photo.
        size_wh: of the photo, for its middle.
        choose: how to decide among several; of equals the more confident, as the detector orders them.
        source: the photo's name, for the message.
        smallest: pixels of the smallest face that was looked for, for the message.

    Raises:
        SettingError: another choice.
        NoFaceError: none was found.
        SeveralFacesError: several were, and ``only`` was asked for.
        FaceTooSmallError: the chosen face's shorter side is under `SMALLEST_SIDE` pixels.
    """
    as_choice(choose)
    width, height = size_wh
    where = source or f"a photo of {width}×{height} pixels"
    if not detections:
        large = smallest > _WORTH_SAYING
        raise NoFaceError(
            expected=f"a face of at least {smallest:.0f} pixels" if large else "a face",
            got=f"none in {where}",
            advice="ask the detector for smaller faces, for instance `yunet/min80`, or cut the photo"
            if large
            else "use a photo that shows the face, upright and in focus",
        )
    if choose == "only" and len(detections) > 1:
        raise SeveralFacesError(
            expected="one face",
            got=f"{len(detections)} in {where}",
            advice="cut the photo to one face, or take one of them: `largest` or `centre` for `choose` (at the shell `--choose`)",
        )
    if choose == "largest":
        chosen = max(detections, key=lambda detection: detection.box.area)
    else:
        chosen = min(detections, key=lambda detection: _off_centre(detection, width, height))
    side = min(chosen.box.width, chosen.box.height)
    if side < SMALLEST_SIDE:
        raise FaceTooSmallError(
            expected=f"a face of at least {SMALLEST_SIDE} pixels",
            got=f"one of {side:.0f} in {where}",
            advice="use a larger photo, or go nearer",
        )
    return chosen


def _off_centre(detection: Detection, width: int, height: int) -> float:
    x, y = detection.box.center_xy
    return (x - width / 2) ** 2 + (y - height / 2) ** 2


def in_reading_order(detections: Sequence[Detection]) -> list[Detection]:
    """Faces as one reads: rows from the top, each from the left.

    A face belongs to a row when its top lies above the middle of the row's lowest face: people beside each other are of different heights.
    """
    rows: list[list[Detection]] = []
    for detection in sorted(detections, key=lambda item: item.box.center_xy[1]):
        if rows and detection.box.y1 < rows[-1][-1].box.center_xy[1]:
            rows[-1].append(detection)
        else:
            rows.append([detection])
    return [detection for row in rows for detection in sorted(row, key=lambda item: item.box.center_xy[0])]

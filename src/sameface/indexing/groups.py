"""Photos grouped by person in one call, without an album that is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sameface.errors import DataError, NoThresholdError
from sameface.files import Skipped, path_as_text, photos_below
from sameface.imaging import ImageSource
from sameface.imaging.sources import label_of
from sameface.indexing.clustering import cluster_judged, link_threshold, poor_threshold
from sameface.matching import as_threshold
from sameface.metrics.extra import require
from sameface.plain import Plain
from sameface.progress import Stages, no_stages
from sameface.recognizer import Recognizer
from sameface.recognizer.domain import Standing
from sameface.recognizer.passed_over import warn_of
from sameface.tables import Answers
from sameface.types import Box


@dataclass(frozen=True, slots=True)
class GroupedFace(Plain):
    """A face of a group.

    Attributes:
        photo: its path, or the place in the list, from 1, where it has none.
        box: the face in that photo.
        standing, standing_reason: as in `Verification`; a face outside is a group of its own, unless the caller forced it.
    """

    photo: str
    box: Box
    standing: Standing = "usual"
    standing_reason: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class PersonGroup(Plain):
    """Faces that belong to one person.

    Attributes:
        number: from 1, the largest group first.
        faces: in the order of the photos.
    """

    number: int
    faces: tuple[GroupedFace, ...]

    def __repr__(self) -> str:
        photos = list(dict.fromkeys(face.photo for face in self.faces))
        return (
            f"PersonGroup({self.number}: {len(self.faces)} faces in {', '.join(photos[:3])}{' …' * (len(photos) > 3)})"
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """A row of a table for each face."""
        return [
            {"group": self.number, "photo": face.photo, **face.box.to_dict(), "standing": face.standing}
            for face in self.faces
        ]


def group_photos(
    recognizer: Recognizer,
    photos: str | PathLike[str] | Iterable[ImageSource],
    *,
    threshold: float | None = None,
    force: bool = False,
    progress: Stages = no_stages,
) -> Answers[PersonGroup]:
    """Group every face of many photos by person. Photos that cannot be read are left out, with a warning that names them.

    Args:
        recognizer: what makes the embeddings.
        photos: a folder, with the folders in it, or photos.
        threshold: see `cluster`; None takes `link_threshold` of the recognizer's operating point.
        force: group faces that are not comparable, too; their standing says so.
        progress: of the photos.

    Raises:
        DataError: no folder, or one without photos.
        SettingError: a threshold that cannot be meant.
    """
    require("scipy")  # before photos are encoded, not after
    limit = (
        link_threshold(recognizer.operating_point)
        if threshold is None
        else as_threshold(threshold, unit_length=recognizer.card.unit_length)
    )
    passed_over: list[str] = []
    listed: list[ImageSource] = list(
        _below(Path(photos), passed_over) if isinstance(photos, (str, PathLike)) else photos
    )
    found: list[GroupedFace] = []
    points, of = [], []
    with progress("photos", len(listed)) as advance:
        for place, faces in enumerate(recognizer.encode_faces_of(listed)):
            advance(1)
            name = label_of(listed[place]) or str(place + 1)
            if not isinstance(faces, list):
                passed_over.append(f"{name}: {faces}")
                continue
            for face in faces:
                judged = recognizer.judge(face)
                found.append(GroupedFace(name, face.box, judged.standing, judged.reason))
            points += [face.embedding for face in faces]
            of += [place] * len(faces)
    warn_of(passed_over)
    if not points:
        return Answers()
    standings = [face.standing for face in found]
    labels = cluster_judged(np.stack(points), standings, limit, _poor(recognizer, limit), of, force=force)
    groups = [
        tuple(face for face, of in zip(found, labels.tolist(), strict=True) if of == label)
        for label in range(int(labels.max()) + 1)
    ]
    groups.sort(key=len, reverse=True)
    return Answers(PersonGroup(number, faces) for number, faces in enumerate(groups, 1))


def _poor(recognizer: Recognizer, limit: float) -> float:
    try:
        return poor_threshold(recognizer.operating_point, limit)
    except NoThresholdError:  # nothing is known of poor faces either
        return limit


def _below(folder: Path, passed_over: list[str]) -> list[Path]:
    """The photos of a folder; what is lost of it comes to `passed_over`, in words."""

    def skipped(item: Skipped) -> None:
        if item.lost:
            passed_over.append(f"{path_as_text(item.path)}: {item.reason}")

    if not folder.is_dir():
        raise DataError(
            expected="a folder of photos, or a list of them", got=repr(path_as_text(folder)), advice="check the path"
        )
    inside = list(photos_below(folder, skipped))
    if not inside:
        raise DataError(expected="photos", got=f"none in the folder {path_as_text(folder)}", advice="check the path")
    return inside

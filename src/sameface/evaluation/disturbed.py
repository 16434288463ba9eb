"""Faces of photos that were damaged on purpose, and what an operating point does on them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sameface.datasets import LabelledPhotos
from sameface.errors import SamefaceError
from sameface.evaluation.disturbances import ALL, Disturbance, face_of
from sameface.evaluation.results import DisturbedRate
from sameface.faces import FaceCrop, FaceFinder
from sameface.faces.turning import scaled, shifted
from sameface.imaging import load_image, open_photo
from sameface.imaging.photo import shrunk
from sameface.progress import Advance, no_advance
from sameface.recognizer.domain import STANDINGS, features, scores_of, threshold_for
from sameface.types import Detection, Embeddings, ImageRGB, OperatingPoint

if TYPE_CHECKING:
    from sameface.recognizer import EncodedFace, Recognizer

Floats = npt.NDArray[np.float64]
#: A kind of damage and its strength; "" and 0 for a photo as it is.
Case = tuple[str, float]
#: Photos up to so many pixels a side are damaged whole. Of larger ones the part that reaches so many widths of the face from its middle is, with a
#: face of so many pixels at most: much as in LFW, whose photos have 250 pixels a side and faces of about 110.
_SMALL: Final = 512
_AROUND: Final = 1.5
_FACE: Final = 160.0


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces of photos that suffered alike.

    Attributes:
        kind, strength: of the disturbance; "" and 0 for photos as they are.
        photos: how many were tried; a face was not found in all.
        features: ``(n, f)`` float64. embeddings: ``(n, d)`` float32. people: ``(n,)``, who each shows.
    """

    kind: str
    strength: float
    photos: int
    features: Floats
    embeddings: Embeddings
    people: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.people)


def cases_of(kinds: Sequence[Disturbance]) -> list[Case]:
    """The photo as it is, then each kind and strength in order."""
    return [("", 0.0), *((kind.name, strength) for kind in kinds for strength in kind.strengths)]


def disturbed_crops(
    finder: FaceFinder, photo: Path, kinds: Sequence[Disturbance]
) -> Iterator[tuple[Case, FaceCrop | None]]:
    """Disturb a photo in every way, and find and cut out the face nearest the centre of each; None where there is none.

    Of a large photo the part around that face is disturbed, `surroundings`: damaged whole, one of a phone would take minutes.

    Args:
        finder: what finds and aligns. photo: a path. kinds: of disturbances.

    Yields:
        The photo as it is, then each kind and strength in order. Nothing at all where even the photo as it is gives no face.
    """
    try:
        image = load_image(photo, limits=finder.limits)
        calm = finder.face(image, "centre")
    except SamefaceError:
        return
    yield ("", 0.0), calm
    if kinds:
        image, face = surroundings(image, calm.detection)
    for kind in kinds:
        for strength in kind.strengths:
            spoilt = open_photo(np.ascontiguousarray(kind.apply(image, face, strength)))
            try:
                yield (kind.name, strength), finder.face(spoilt, "centre")
            except SamefaceError:
                yield (kind.name, strength), None


def surroundings(image_rgb: ImageRGB, face: Detection) -> tuple[ImageRGB, Detection]:
    """The part of a large photo around a face, as large as in the sets that domains were measured on, and the face in it; a small photo whole.

    >>> from sameface.types import Box
    >>> part, face = surroundings(np.zeros((3000, 4000, 3), np.uint8), Detection(Box(1000, 1000, 1400, 1500), 0.9))
    >>> part.shape, face.box
    ((480, 480, 3), Box(x1=176.0, y1=160.0, x2=304.0, y2=320.0))
    """
    height, width = image_rgb.shape[:2]
    if max(height, width) <= _SMALL:
        return image_rgb, face
    (x, y), reach = face.box.center_xy, _AROUND * face_of(face.box)
    left, top, right, bottom = (round(edge) for edge in (x - reach, y - reach, x + reach, y + reach))
    left, top = max(0, left), max(0, top)
    part, there = image_rgb[top:bottom, left:right], shifted(face, -left, -top)
    shrink = min(1.0, _FACE / face_of(face.box))
    rows, columns = part.shape[:2]
    part = shrunk(part, max(1, round(max(rows, columns) * shrink)))
    return part, scaled(there, part.shape[1] / columns, part.shape[0] / rows)


def disturbed_faces(
    recognizer: Recognizer,
    photos: Sequence[Path],
    people: npt.NDArray[np.intp],
    *,
    kinds: Sequence[Disturbance] = ALL,
    workers: int | None = None,
    advance: Advance = no_advance,
) -> list[Faces]:
    """Disturb photos in every way, and encode what is still found in them.

    Args:
        recognizer: what finds, aligns and encodes; best made with ``threads=1``, since photos run side by side.
        photos: paths. people: ``(n,)``, whom each shows.
        kinds: of disturbances; none gives only the photos as they are.
        workers: photos worked on at once; None takes one per core.
        advance: told of each photo that is done.

    Returns:
        First the photos as they are, then each kind and strength in order.
    """
    cases = cases_of(kinds)
    rows: dict[Case, list[tuple[Floats, Embeddings, int]]] = {case: [] for case in cases}
    tried = 0

    def faces(path: Path) -> list[tuple[Case, EncodedFace]]:
        found = [(case, crop) for case, crop in disturbed_crops(recognizer.finder, path, kinds) if crop is not None]
        encoded = recognizer.encode_crops([crop for _, crop in found])
        return [(case, face) for (case, _), face in zip(found, encoded, strict=True)]

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for person, found in zip(people.tolist(), pool.map(faces, photos), strict=True):
            tried += bool(found)
            for case, face in found:
                if face.evidence is not None:
                    rows[case].append((features(face.embedding, face.evidence), face.embedding, person))
            advance(1)
    return [faces_from(kind, strength, tried, rows[kind, strength]) for kind, strength in cases]


def faces_from(kind: str, strength: float, tried: int, rows: Sequence[tuple[Floats, Embeddings, int]]) -> Faces:
    """Faces from rows of features, embedding and person."""
    return Faces(
        kind,
        strength,
        tried,
        np.array([row[0] for row in rows], np.float64).reshape(len(rows), -1 if rows else 0),
        np.array([row[1] for row in rows], np.float32).reshape(len(rows), -1 if rows else 0),
        np.array([row[2] for row in rows], np.intp),
    )


def pairs_of(
    embeddings: Embeddings, people: npt.NDArray[np.intp]
) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Distances of all pairs, whether each shows strangers, and both faces' places."""
    first, second = np.triu_indices(len(people), 1)
    vectors = embeddings.astype(np.float64)
    squares = (vectors * vectors).sum(axis=1)
    products = vectors @ vectors.T if len(people) else np.zeros((0, 0))
    apart = np.sqrt(np.maximum(0.0, squares[first] + squares[second] - 2 * products[first, second]))
    return apart, people[first] != people[second], first, second


def measure(parts: Sequence[Faces], point: OperatingPoint) -> list[DisturbedRate]:
    """What an operating point does on disturbed photos: one row for each kind and strength, undisturbed photos first."""
    rows = []
    for part in parts:
        levels = _levels(part, point)
        apart, strangers, first, second = pairs_of(part.embeddings, part.people)
        level = np.maximum(levels[first], levels[second])
        answered = level < STANDINGS.index("outside")
        taus = np.array([threshold_for(point, standing) for standing in STANDINGS])[level]
        passed = apart < taus
        rows.append(
            DisturbedRate(
                part.kind,
                part.strength,
                len(part) / part.photos if part.photos else 0.0,
                float((levels < STANDINGS.index("outside")).mean()) if len(part) else 0.0,
                _mean(apart[strangers] < point.threshold),
                _mean(passed[strangers & answered]),
                _mean(~passed[~strangers & answered]),
                int((strangers & answered).sum()),
            )
        )
    return rows


def _levels(part: Faces, point: OperatingPoint) -> npt.NDArray[np.intp]:
    """Where each face stands, as its place in `STANDINGS`."""
    if point.domain is None or not len(part):
        return np.full(len(part), STANDINGS.index("unknown"), np.intp)
    scores = scores_of(point.domain, part.features)
    known = np.array([STANDINGS.index(standing) for standing in ("usual", "poor", "outside")], np.intp)
    return known[np.digitize(scores, [point.domain.usual, point.domain.limit], right=True)]


def _mean(values: npt.NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def one_each(data: LabelledPhotos, most: int, *, photos: int = 1) -> npt.NDArray[np.intp]:
    """Places of the first photos of people, in the list's order; people with several photos are taken first.

    Args:
        data: labelled photos.
        most: people at most.
        photos: of a person at most.

    >>> data = LabelledPhotos("x", tuple(Path(str(n)) for n in range(5)), np.array([0, 1, 1, 2, 2]), ("a", "b", "c"))
    >>> one_each(data, 2).tolist(), one_each(data, 2, photos=2).tolist()
    ([1, 3], [1, 2, 3, 4])
    """
    counts = np.bincount(data.people)
    order = np.lexsort((np.arange(len(counts)), counts < 2))[: max(most, 0)]
    chosen = [np.flatnonzero(data.people == person)[:photos] for person in np.sort(order)]
    return np.concatenate(chosen) if chosen else np.empty(0, np.intp)

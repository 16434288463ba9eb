"""An album: the faces of a folder of photos, grouped by person, kept in one file from run to run.

Embeddings are biometric data: the file holds them, so it deserves the care the photos get; deleting it erases them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError, PersonExistsError, PersonNotFoundError
from sameface.indexing.clustering import Labels, cluster
from sameface.recognizer.domain import Standing
from sameface.types import Box, Embeddings, EmbeddingSpace

FORMAT: Final = "sameface album 2"
#: Read as well: its faces were not asked where they stand.
BEFORE: Final = "sameface album 1"


@dataclass(slots=True)
class Face:
    """One face of one photo.

    Attributes:
        face_id: stable within the album, never reused.
        photo: path relative to the folder, with ``/``, by `path_as_text`.
        box: in the photo's pixels.
        embedding: ``(d,)`` float32, little endian, as bytes.
        group: number of its group.
        settled: somebody named, merged or split its group: the face stays there.
        standing: ``usual``; ``unknown``: which faces τ holds for was not measured; ``poor``: grouped under a stricter τ; ``outside``: not
            comparable, it joins nobody unless a person says so.
        reason: of its standing, in words.
    """

    face_id: int
    photo: str
    box: Box
    embedding: bytes
    group: int = -1
    settled: bool = False
    standing: Standing = "unknown"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PhotoState:
    """A photo as it was when its faces were found: `size` in bytes, `modified` in nanoseconds; `problem` where it gave an error."""

    size: int
    modified: int
    problem: str = ""


@dataclass(slots=True)
class Album:
    """Faces, groups and names of one folder.

    Attributes:
        space: what the embeddings belong to.
        faces: by photo, in reading order within it.
        photos: state of each photo by relative path.
        names: name by group number.
        next_face, next_group: numbers not given yet.
    """

    space: EmbeddingSpace
    faces: list[Face] = field(default_factory=list)
    photos: dict[str, PhotoState] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    next_face: int = 1
    next_group: int = 1
    format: str = FORMAT

    # -- groups ---------------------------------------------------------------------------------------------------
    def groups(self) -> dict[int, list[Face]]:
        """Faces by group: named ones first, then the largest."""
        members: dict[int, list[Face]] = {}
        for face in self.faces:
            members.setdefault(face.group, []).append(face)
        ranked = sorted(members, key=lambda number: (number not in self.names, -len(members[number]), number))
        return {number: members[number] for number in ranked}

    def group_of(self, who: str | int) -> int:
        """A group by its name, or by its number: an int is never taken for a name.

        Raises:
            PersonNotFoundError: no such group.
        """
        numbers = {face.group for face in self.faces}
        named = {name: number for number, name in self.names.items()}
        if isinstance(who, str) and who in named:
            return named[who]
        if (isinstance(who, int) or who.isdecimal()) and int(who) in numbers:
            return int(who)
        raise PersonNotFoundError(
            expected="the number or name of a group", got=repr(who), advice="list the groups: `sameface cluster FOLDER`"
        )

    def name(self, who: str | int, name: str) -> int:
        """Name a group; its faces stay in it from now on.

        Raises:
            PersonExistsError: another group has the name: merge them instead.
        """
        number = self.group_of(who)
        if name in self.names.values() and self.names.get(number) != name:
            raise PersonExistsError(
                expected="a name that no other group has",
                got=repr(name),
                advice="merge the two groups if they are one person",
            )
        self.names[number] = name
        self._settle({number})
        return number

    def merge(self, into: str | int, others: Sequence[str | int]) -> int:
        """Groups are one person: their faces go to the first, which keeps its name, or takes the first name among them."""
        number, gone = self.group_of(into), {self.group_of(other) for other in others}
        gone.discard(number)
        for face in self.faces:
            if face.group in gone:
                face.group = number
        for other in sorted(gone):
            name = self.names.pop(other, None)
            if name is not None:
                self.names.setdefault(number, name)
        self._settle({number})
        return number

    def split(self, who: str | int, face_ids: Iterable[int]) -> int:
        """Faces do not belong to this group: they become one of their own, and both stay as they are.

        Raises:
            DataError: no such faces in the group, or all of them.
        """
        number, wanted = self.group_of(who), set(face_ids)
        present = {face.face_id for face in self.faces if face.group == number}
        if not wanted or not wanted < present:
            raise DataError(
                expected=f"some, not all, of the faces {sorted(present)} of group {number}",
                got=str(sorted(wanted)),
                advice="take the numbers from the contact sheet",
            )
        new = self._new_group()
        for face in self.faces:
            if face.face_id in wanted:
                face.group = new
        self._settle({number, new})
        return new

    # -- clustering -----------------------------------------------------------------------------------------------
    def regroup(self, threshold: float, *, poor: float | None = None, force: bool = False) -> None:
        """Group all faces that nobody has settled; settled groups stay and take in groups whose mean distance is under τ.

        Two faces of one photo stay apart, unless somebody has put them together. Numbers are stable: a group keeps the number that most
        of its faces had. A face that is not comparable is a group of its own.

        Args:
            threshold: τ of mean distances.
            poor: τ for distances to a poor face; None takes the same.
            force: join faces that are not comparable as poor ones.
        """
        stricter = threshold / poor if poor else 1.0
        free = [face for face in self.faces if not face.settled]
        joining = [face for face in free if force or face.standing != "outside"]
        alone = [face for face in free if not force and face.standing == "outside"]
        self._join(joining, threshold, stricter, force=force)
        kept: set[int] = {face.group for face in self.faces if face not in alone}
        for face in alone:
            if face.group in kept or face.group < 0:
                face.group = self._new_group()
            kept.add(face.group)

    def _join(self, free: list[Face], threshold: float, stricter: float, *, force: bool) -> None:
        if not free:
            return
        points = self.embeddings(free)
        stretch = np.array([stricter if face.standing in ("poor", "outside") else 1.0 for face in free])
        place = {photo: number for number, photo in enumerate(self.photos)}
        labels = cluster(points, threshold, stretch, [place[face.photo] for face in free])
        settled = self._settled_points(force=force)
        shown = self._photos_of(settled)
        numbers = _keep_numbers(labels, [face.group for face in free], taken=set(settled))
        sizes = np.bincount(labels)
        for label in np.argsort(-sizes, kind="stable").tolist():  # the largest new group gets the first new number
            members = np.flatnonzero(labels == label)
            here = {free[index].photo for index in members}
            number = (
                _nearest_group(
                    points[members],
                    # Whoever is in one of these photos already is somebody else.
                    {group: found for group, found in settled.items() if not shown[group] & here},
                    threshold / float(stretch[members].max()),
                )
                or numbers.get(label)
                or self._new_group()
            )
            for index in members:
                free[index].group = number
            shown.setdefault(number, set()).update(here)

    def embeddings(self, faces: Sequence[Face]) -> Embeddings:
        """``(n, d)`` float32."""
        if not faces:
            return np.empty((0, 0), dtype=np.float32)
        return np.stack([np.frombuffer(face.embedding, dtype="<f4") for face in faces]).astype(np.float32)

    def _settled_points(self, *, force: bool) -> dict[int, Embeddings]:
        members: dict[int, list[Face]] = {}
        for face in self.faces:
            if face.settled and (force or face.standing != "outside"):
                members.setdefault(face.group, []).append(face)
        return {number: self.embeddings(faces) for number, faces in members.items()}

    def _photos_of(self, numbers: Iterable[int]) -> dict[int, set[str]]:
        """In which photos the faces of some groups are."""
        shown: dict[int, set[str]] = {number: set() for number in numbers}
        for face in self.faces:
            if face.settled and face.group in shown:
                shown[face.group].add(face.photo)
        return shown

    def _settle(self, numbers: set[int]) -> None:
        for face in self.faces:
            face.settled = face.settled or face.group in numbers

    def _new_group(self) -> int:
        self.next_group += 1
        return self.next_group - 1


def _nearest_group(points: Embeddings, settled: dict[int, Embeddings], threshold: float) -> int | None:
    """The settled group with the smallest mean distance under τ."""
    apart = {number: _mean_distance(points, members) for number, members in settled.items()}
    best = min(apart, key=lambda number: (apart[number], number), default=None)
    return best if best is not None and apart[best] < threshold else None


def _mean_distance(a: Embeddings, b: Embeddings) -> float:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * (a @ b.T)
    return float(np.sqrt(np.maximum(squares, 0)).mean())


def _keep_numbers(labels: Labels, before: Sequence[int], taken: set[int]) -> dict[int, int]:
    """For each label the number that most of its faces had, each number once, larger overlaps first."""
    overlaps = Counter(
        (int(label), number)
        for label, number in zip(labels, before, strict=True)
        if number >= 0 and number not in taken
    )
    kept: dict[int, int] = {}
    for (label, number), _ in sorted(overlaps.items(), key=lambda item: (-item[1], item[0])):
        if label not in kept and number not in kept.values():
            kept[label] = number
    return kept


def distances_within(points: Embeddings) -> npt.NDArray[np.float64]:
    """Mean distance of each face to the others of its group, ``(n,)``; 0 for a face alone. The largest are the doubtful ones."""
    if len(points) < 2:
        return np.zeros(len(points))
    squares = (points**2).sum(axis=1)
    table = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * (points @ points.T), 0)).astype(np.float64)
    np.fill_diagonal(table, 0)
    return np.asarray(table.sum(axis=1) / (len(points) - 1))

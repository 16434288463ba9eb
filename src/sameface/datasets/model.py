"""What every data set becomes: photos that belong to people, alone or compared in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError
from sameface.metrics.folds import linked

#: What can be wrong with a row, photo or person of a data set.
ProblemKind = Literal[
    "missing photo",
    "malformed row",
    "duplicate pair",
    "pair in two folds",
    "photo with itself",
    "contradicting labels",
    "no photos",
    "one photo",
    "count differs",
    "unknown person",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the data that was set aside or is worth knowing; counted in every report.

    Attributes:
        kind: which of the known things.
        where: file and line, folder or photo.
        error: what was expected, what came, what to do.
        dropped: whether something was left out because of it.
    """

    kind: ProblemKind
    where: str
    error: DataError
    dropped: bool = True


def problem(kind: ProblemKind, where: str, *, expected: str, got: str, advice: str, dropped: bool = True) -> Problem:
    """A problem with its error in one call."""
    return Problem(kind, where, DataError(expected=expected, got=f"{got} ({where})", advice=advice), dropped)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPhotos:
    """Photos with the people they show.

    Attributes:
        name: what reports call the set.
        photos: one path per photo.
        people: ``(n,)`` index of the person into `names`.
        names: the people.
        problems: what was set aside.
        groups: by group column, the value of each person, "" where none is known.
    """

    name: str
    photos: tuple[Path, ...]
    people: npt.NDArray[np.intp]
    names: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def at_most(self, photos: int) -> LabelledPhotos:
        """The first few photos of each person, in the data set's order."""
        seen = np.zeros(len(self.names), dtype=np.intp)
        keep = []
        for index, person in enumerate(self.people):
            seen[person] += 1
            if seen[person] <= photos:
                keep.append(index)
        return self.only(keep)

    def only(self, indices: Sequence[int]) -> LabelledPhotos:
        """These photos, with all names kept."""
        chosen = np.asarray(indices, dtype=np.intp)
        return LabelledPhotos(
            self.name,
            tuple(self.photos[i] for i in chosen),
            self.people[chosen],
            self.names,
            self.problems,
            self.groups,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PairList:
    """Pairs of photos with the truth about each.

    Attributes:
        name, protocol: what reports call the set and how its pairs were made.
        photos: every photo once.
        a, b: ``(n,)`` indices into `photos`.
        same: ``(n,)`` whether the pair is mated.
        people: ``(len(photos),)`` whose each photo is.
        folds: ``(n,)`` the protocol's own folds, None when it has none.
        groups: by group column, the value of each pair, "" where it has none.
        problems: rows that were set aside.
    """

    name: str
    protocol: str
    photos: tuple[Path, ...]
    a: npt.NDArray[np.intp]
    b: npt.NDArray[np.intp]
    same: npt.NDArray[np.bool_]
    people: npt.NDArray[np.intp]
    folds: npt.NDArray[np.intp] | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def person_a(self) -> npt.NDArray[np.intp]:
        return self.people[self.a]

    @property
    def person_b(self) -> npt.NDArray[np.intp]:
        return self.people[self.b]


#: What an evaluation runs on.
Bench = LabelledPhotos | PairList


class PairCollector:
    """Gathers pairs row by row, drops what cannot be scored, and remembers why.

    Args:
        name, protocol: of the list to be made.
    """

    def __init__(self, name: str, protocol: str) -> None:
        self.name, self.protocol = name, protocol
        self.problems: list[Problem] = []
        self._index: dict[Path, int] = {}
        self._rows: list[tuple[int, int, bool, int]] = []
        self._seen: dict[tuple[int, int], tuple[bool, int]] = {}
        self._groups: list[Mapping[str, str]] = []
        self._people: dict[int, str] = {}

    def add(
        self,
        a: Path,
        b: Path,
        same: bool,
        *,
        where: str,
        fold: int = -1,
        people: tuple[str, str] | None = None,
        groups: Mapping[str, str] | None = None,
    ) -> None:
        """Take one pair, unless a photo is missing or the pair was there before."""
        for photo in (a, b):
            if not photo.is_file():
                self._drop(
                    "missing photo", where, "a photo at that path", str(photo), "correct the path or add the photo"
                )
                return
        first, second = self._number(a), self._number(b)
        if first == second:
            self._drop("photo with itself", where, "two different photos", a.name, "compare two photos")
            return
        key = (min(first, second), max(first, second))
        if key in self._seen:
            before, in_fold = self._seen[key]
            if before != same:
                self._drop(
                    "contradicting labels",
                    where,
                    "one label per pair",
                    "the same pair with the other label before",
                    "correct one of the rows",
                )
            elif in_fold != fold:
                self._drop(
                    "pair in two folds",
                    where,
                    "each pair in one fold",
                    f"a pair that is in fold {in_fold + 1} too",
                    "remove one of them",
                )
            else:
                self._drop("duplicate pair", where, "each pair once", "a pair that was there before", "remove the row")
            return
        self._seen[key] = (same, fold)
        self._rows.append((first, second, same, fold))
        self._groups.append(groups or {})
        if people is not None:
            self._people[first], self._people[second] = people

    def malformed(self, where: str, expected: str, got: str) -> None:
        """Note a row that is no pair."""
        self._drop("malformed row", where, expected, got, "correct the row")

    def finish(self) -> PairList:
        """The list, with people numbered and contradictions noted.

        Raises:
            DataError: no pair is left.
        """
        if not self._rows:
            first = f"; the first problem: {str(self.problems[0].error).rstrip('.')}" if self.problems else ""
            raise DataError(
                expected=f"pairs in {self.name}",
                got=f"none that can be scored, {len(self.problems)} rows set aside{first}",
                advice="check that the list belongs to these photos",
            )
        a, b = (np.array([row[i] for row in self._rows], dtype=np.intp) for i in (0, 1))
        same = np.array([row[2] for row in self._rows], dtype=np.bool_)
        folds = np.array([row[3] for row in self._rows], dtype=np.intp)
        columns = sorted({key for row in self._groups for key in row})
        return PairList(
            self.name,
            self.protocol,
            tuple(self._index),
            a,
            b,
            same,
            self._number_people(a, b, same),
            None if (folds < 0).any() else folds,
            {key: tuple(row.get(key, "") for row in self._groups) for key in columns},
            tuple(self.problems),
        )

    def _number_people(
        self, a: npt.NDArray[np.intp], b: npt.NDArray[np.intp], same: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.intp]:
        """Whose photos they are: as given, else photos that mated pairs link are one person's."""
        count = len(self._index)
        if len(self._people) == count:
            names = [self._people[i] for i in range(count)]
            return np.unique(names, return_inverse=True)[1].astype(np.intp)
        people = linked(a[same], b[same], count)
        for row in np.flatnonzero(~same & (people[a] == people[b])):
            photos = list(self._index)
            self.problems.append(
                problem(
                    "contradicting labels",
                    f"{photos[a[row]].name} and {photos[b[row]].name}",
                    expected="labels that fit together",
                    got="a non-mated pair of photos that mated pairs link",
                    advice="correct the labels",
                    dropped=False,
                )
            )
        return np.unique(people, return_inverse=True)[1].astype(np.intp)

    def _number(self, photo: Path) -> int:
        return self._index.setdefault(photo, len(self._index))

    def _drop(self, kind: ProblemKind, where: str, expected: str, got: str, advice: str) -> None:
        self.problems.append(problem(kind, where, expected=expected, got=got, advice=advice))

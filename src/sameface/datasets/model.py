"""What every data set becomes: photos that belong to people, alone or compared in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from sameface.datasets.photo import Photo, photo_as_text
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
    "unknown photo",
]


@dataclass(frozen=True, slots=True)
class DataProblem:
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


def problem(
    kind: ProblemKind, where: str, *, expected: str, got: str, advice: str, dropped: bool = True
) -> DataProblem:
    """A problem with its error in one call."""
    return DataProblem(kind, where, DataError(expected=expected, got=f"{got} ({where})", advice=advice), dropped)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPhotos:
    """Photos with the people they show.

    Attributes:
        name: what reports call the set.
        photos: one path per photo, or a piece of a file that holds many.
        people: ``(n,)`` index of the person into `names`.
        names: the people.
        problems: what was set aside.
        groups: by group column, the value of each person, "" where none is known.
        photo_groups: by group column, the value of each photo, "" where none is known.
    """

    name: str
    photos: tuple[Photo, ...]
    people: npt.NDArray[np.intp]
    names: tuple[str, ...]
    problems: tuple[DataProblem, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    photo_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
            {column: tuple(values[i] for i in chosen) for column, values in self.photo_groups.items()},
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
        photo_groups: by group column, the value of each photo, "" where it has none.
    """

    name: str
    protocol: str
    photos: tuple[Photo, ...]
    a: npt.NDArray[np.intp]
    b: npt.NDArray[np.intp]
    same: npt.NDArray[np.bool_]
    people: npt.NDArray[np.intp]
    folds: npt.NDArray[np.intp] | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[DataProblem, ...] = ()
    photo_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
        published: the list is somebody's published protocol: whatever pair it repeats counts as often, as in everybody's numbers, and is only noted.
    """

    def __init__(self, name: str, protocol: str, *, published: bool = False) -> None:
        self.name, self.protocol, self.published = name, protocol, published
        self.problems: list[DataProblem] = []
        self._index: dict[Photo, int] = {}
        self._rows: list[tuple[int, int, bool, int]] = []
        self._seen: dict[tuple[int, int], tuple[bool, int]] = {}
        self._groups: list[Mapping[str, str]] = []
        self._people: dict[int, str] = {}

    def add(
        self,
        a: Photo,
        b: Photo,
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
                advice = "correct the path or add the photo"
                self._note("missing photo", where, "a photo at that path", photo_as_text(photo), advice)
                return
        first, second = self._number(a), self._number(b)
        key = (min(first, second), max(first, second))
        repeated = self._repeated(key, same, fold, where, a.name)
        if repeated and not self.published:
            return
        self._seen.setdefault(key, (same, fold))
        self._rows.append((first, second, same, fold))
        self._groups.append(groups or {})
        if people is not None:
            self._people[first], self._people[second] = people

    def _repeated(self, key: tuple[int, int], same: bool, fold: int, where: str, name: str) -> bool:
        """Whether a pair says nothing new; then it is noted."""
        dropped = not self.published
        if key[0] == key[1]:
            self._note("photo with itself", where, "two different photos", name, "compare two photos", dropped)
            return True
        if key not in self._seen:
            return False
        before, in_fold = self._seen[key]
        if before != same:
            got = "the same pair with the other label before"
            self._note("contradicting labels", where, "one label per pair", got, "correct one of the rows", dropped)
        elif in_fold != fold:
            got = f"a pair that is in fold {in_fold + 1} too"
            self._note("pair in two folds", where, "each pair in one fold", got, "remove one of them", dropped)
        else:
            got = "a pair that was there before"
            self._note("duplicate pair", where, "each pair once", got, "remove the row", dropped)
        return True

    def malformed(self, where: str, expected: str, got: str) -> None:
        """Note a row that is no pair."""
        self._note("malformed row", where, expected, got, "correct the row")

    def finish(self) -> PairList:
        """The list, with people numbered and contradictions noted.

        Raises:
            DataError: no pair is left.
        """
        if not self._rows:
            rows = "1 row" if len(self.problems) == 1 else f"{len(self.problems)} rows"
            first = f"; the first problem: {str(self.problems[0].error).rstrip('.')}" if self.problems else ""
            raise DataError(
                expected=f"pairs in {self.name}",
                got=f"none that can be scored, {rows} set aside{first}",
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

    def _number(self, photo: Photo) -> int:
        return self._index.setdefault(photo, len(self._index))

    def _note(self, kind: ProblemKind, where: str, expected: str, got: str, advice: str, dropped: bool = True) -> None:
        self.problems.append(problem(kind, where, expected=expected, got=got, advice=advice, dropped=dropped))

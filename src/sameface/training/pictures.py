"""Pictures to train on: a folder per person, read once, split by person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.datasets.tree import read_tree, refuse_deep
from sameface.errors import ImageError, NotEnoughDataError
from sameface.files import Skipped
from sameface.progress import Tally


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures in memory.

    Attributes:
        pixels: ``(n, channels, size, size)`` uint8, or ``(n, d)`` float32 where embeddings stand in for pictures.
        labels: ``(n,)`` int64, an index into `people`.
        people: a name for each label.
        groups: ``(n,)`` a coarser label (the alphabet of a character), or None.
        skipped: what was passed over while reading.
    """

    pixels: Tensor
    labels: npt.NDArray[np.int64]
    people: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None = None
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def of_people(self, chosen: Iterable[int]) -> Pictures:
        """Only the pictures of some labels, renumbered 0, 1, 2 … in the order given."""
        order = list(chosen)
        place = {label: number for number, label in enumerate(order)}
        rows = np.flatnonzero(np.isin(self.labels, order))
        return replace(
            self,
            pixels=self.pixels[torch.from_numpy(rows)],
            labels=np.array([place[int(label)] for label in self.labels[rows]], dtype=np.int64),
            people=tuple(self.people[label] for label in order),
            groups=None if self.groups is None else self.groups[rows],
            skipped=(),
        )


def files_by_person(folder: Path) -> tuple[dict[str, list[Path]], list[Skipped]]:
    """Find the pictures of each person.

    Args:
        folder: one folder per person inside; hidden files and folders are ignored.

    Returns:
        Files by person, both sorted by name; and what was passed over: empty folders, files that are no pictures, what
        is no file (broken links, pipes).

    Raises:
        DataError: no such folder, or pictures only in folders inside a person's.
        NotEnoughDataError: pictures of fewer than two people.
    """
    tree = read_tree(folder)
    refuse_deep(tree)
    found = {person: sorted(tree.people[person]) for person in sorted(tree.people)}
    skipped = sorted([*tree.skipped, *(Skipped(person, "no picture inside") for person in tree.empty)])
    if len(found) < 2:
        raise NotEnoughDataError(
            expected=f"pictures of at least two people in {folder}",
            got=f"{len(found)}",
            advice="put the photos of each person into a folder of their own; from one person nothing can be learned,"
            " since the network must see who is *not* the same",
        )
    return found, skipped


def read_pictures(
    files: dict[str, Sequence[Path]] | dict[str, list[Path]],
    read: Callable[[Path], npt.NDArray[np.uint8]],
    *,
    skipped: Sequence[Skipped] = (),
    threads: int = 2,
    progress: Tally | None = None,
) -> Pictures:
    """Read pictures into memory; those that cannot be read are skipped, counted and listed.

    Args:
        files: paths by person.
        read: a path to a picture ``(size, size, channels)`` uint8, all of one shape; raises `ImageError` or
            `FaceError`.
        skipped: what was passed over before.
        threads: readers at once.
        progress: called with (done, all).

    Raises:
        NotEnoughDataError: pictures of fewer than two people could be read.
    """
    passed_over = list(skipped)
    jobs = [(person, path) for person, paths in files.items() for path in paths]

    def attempt(job: tuple[str, Path]) -> npt.NDArray[np.uint8] | Exception:
        try:
            return read(job[1])
        except (ImageError, ValueError, OSError) as error:
            return error

    rows: list[npt.NDArray[np.uint8]] = []
    owners: list[str] = []
    with ThreadPoolExecutor(threads) as pool:
        for done, ((person, path), outcome) in enumerate(zip(jobs, pool.map(attempt, jobs), strict=True), 1):
            if isinstance(outcome, Exception):
                passed_over.append(Skipped(path, str(outcome)))
            else:
                rows.append(outcome)
                owners.append(person)
            if progress is not None:
                progress(done, len(jobs))
    people = tuple(sorted(set(owners)))
    if len(people) < 2:
        raise NotEnoughDataError(
            expected="readable pictures of at least two people",
            got=f"{len(people)}; {len(passed_over)} files skipped, the first: {passed_over[0].reason}"
            if passed_over
            else f"{len(people)}",
            advice="check the files that were skipped",
        )
    place = {person: label for label, person in enumerate(people)}
    pixels = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).contiguous()
    labels = np.array([place[person] for person in owners], dtype=np.int64)
    return Pictures(pixels, labels, people, skipped=tuple(passed_over))


def split_by_person(labels: npt.NDArray[np.int64], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Divide people, never photos: whoever is validated on was never trained on.

    Args:
        labels: ``(n,)``.
        share: of people held out, among those with two photos or more (the only ones that can be validated on);
            0 holds out nobody, else at least two people.
        seed: of the draw.

    Returns:
        Labels to train on, labels held out, each sorted.

    Raises:
        NotEnoughDataError: too few people with several photos.
    """
    names, counts = np.unique(labels, return_counts=True)
    several = names[counts > 1]
    if share <= 0:
        return [int(name) for name in names], []
    held = max(2, round(share * len(several)))
    if len(several) - held < 2:
        raise NotEnoughDataError(
            expected="at least four people with two photos or more: two to train on, two to validate on",
            got=f"{len(several)}",
            advice="add people or photos, or hold out nobody (`--validation 0`) and measure elsewhere;"
            " from one photo each nothing is learned about what stays the same",
        )
    out = {int(name) for name in np.random.default_rng([seed, 0x5EED]).permutation(several)[:held]}
    return [int(name) for name in names if int(name) not in out], sorted(out)

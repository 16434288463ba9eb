"""A folder per person, read once into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sameface.datasets.tree import read_tree, refuse_deep
from sameface.errors import ImageError, NotEnoughDataError
from sameface.files import Skipped
from sameface.progress import Tally
from sameface.training.pictures.decoded import cores
from sameface.training.pictures.pictures import Pictures


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
    threads: int | None = None,
    progress: Tally | None = None,
) -> Pictures:
    """Read pictures into memory; those that cannot be read are skipped, counted and listed.

    Args:
        files: paths by person.
        read: a path to a picture ``(size, size, channels)`` uint8, all of one shape; raises `ImageError` or
            `FaceError`.
        skipped: what was passed over before.
        threads: readers at once; None for as many as there are cores.
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
    with ThreadPoolExecutor(threads or cores()) as pool:
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
            advice="check the files that were skipped; drawings and crops are learned without --align, by the network convnet",
        )
    place = {person: label for label, person in enumerate(people)}
    pixels = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).contiguous()
    labels = np.array([place[person] for person in owners], dtype=np.int64)
    return Pictures(pixels, labels, people, skipped=tuple(passed_over))

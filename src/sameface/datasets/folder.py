"""A folder per person, as people keep photos; ORL and the images of LFW have this form too."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.datasets.model import LabelledPhotos, Problem, problem
from sameface.errors import DataError
from sameface.files import is_photo, natural


def read_folder(folder: str | Path, *, only: set[str] | None = None, name: str | None = None) -> LabelledPhotos:
    """Read a folder that has a folder of photos per person.

    Args:
        folder: the top folder. Its sub-folders are people, in natural order (``s2`` before ``s10``); hidden ones are left out.
        only: names of the people wanted; None takes all.
        name: what reports call it; None takes the folder's name.

    Returns:
        All photos. People without photos are noted and left out, people with one photo are noted and kept: they still make non-mated pairs.

    Raises:
        DataError: no such folder, or fewer than two people with photos.
    """
    top = Path(folder)
    if not top.is_dir():
        raise DataError(
            expected=f"a folder at {top}",
            got="a file" if top.exists() else "nothing there",
            advice="give a folder that has one folder of photos per person",
        )
    problems: list[Problem] = []
    photos: list[Path] = []
    people: list[int] = []
    names: list[str] = []
    for person in sorted((p for p in top.iterdir() if p.is_dir() and not p.name.startswith(".")), key=natural):
        if only is not None and person.name not in only:
            continue
        own = sorted(
            filter(is_photo, person.iterdir()),
            key=natural,
        )
        if not own:
            problems.append(
                problem(
                    "no photos",
                    str(person),
                    expected="photos of a person",
                    got="none",
                    advice="add photos or remove the folder",
                )
            )
            continue
        if len(own) == 1:
            problems.append(
                problem(
                    "one photo",
                    str(person),
                    expected="two photos of a person for a mated pair",
                    got="one",
                    advice="add a photo; this one serves non-mated pairs only",
                    dropped=False,
                )
            )
        people += [len(names)] * len(own)
        names.append(person.name)
        photos += own
    for missing in sorted((only or set()) - {p.name for p in top.iterdir()}):
        problems.append(
            problem(
                "unknown person",
                missing,
                expected=f"a folder in {top}",
                got="none",
                advice="correct the list or add photos",
            )
        )
    if len(names) < 2:
        raise DataError(
            expected=f"at least two people with photos in {top}",
            got=f"{len(names)}",
            advice="give a folder that has one folder of photos per person",
        )
    return LabelledPhotos(
        name or top.name, tuple(photos), np.array(people, dtype=np.intp), tuple(names), tuple(problems)
    )

"""A folder per person, as people keep photos; ORL and the images of LFW have this form too."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.datasets.model import DataProblem, LabelledPhotos, problem
from sameface.datasets.tree import read_tree, refuse_deep
from sameface.errors import DataError
from sameface.files import path_as_text


def read_folder(folder: str | Path, *, only: set[str] | None = None, name: str | None = None) -> LabelledPhotos:
    """Read a folder that has a folder of photos per person.

    Args:
        folder: the top folder. Its sub-folders are people, in natural order (``s2`` before ``s10``); hidden ones are left out.
        only: names of the people wanted; None takes all.
        name: what reports call it; None takes the folder's name.

    Returns:
        All photos, those in folders inside a person's too. People without photos are noted and left out, people with one photo are noted and kept:
        they still make non-mated pairs.

    Raises:
        DataError: no such folder, photos that lie only deeper than in the people's folders, or fewer than two people with photos.
    """
    top = Path(folder)
    tree = read_tree(top, only=only)
    refuse_deep(tree)
    problems: list[DataProblem] = [
        problem(
            "no photos",
            path_as_text(person),
            expected="photos of a person",
            got="none",
            advice="add photos or remove the folder",
        )
        for person in tree.empty
    ]
    problems += [
        problem(
            "missing photo",
            path_as_text(item.path),
            expected="photos that can be read",
            got=item.reason,
            advice="change the permissions, or remove what is no photo",
        )
        for item in tree.skipped
        if item.lost
    ]
    problems += [
        problem(
            "one photo",
            path_as_text(own[0].parent),
            expected="two photos of a person for a mated pair",
            got="one",
            advice="add a photo; this one serves non-mated pairs only",
            dropped=False,
        )
        for own in tree.people.values()
        if len(own) == 1
    ]
    problems += [
        problem(
            "unknown person",
            missing,
            expected=f"a folder in {path_as_text(top)}",
            got="none",
            advice="correct the list or add photos",
        )
        for missing in sorted((only or set()) - set(tree.people) - {path_as_text(item.name) for item in tree.empty})
    ]
    if len(tree.people) < 2:
        raise DataError(
            expected=f"at least two people with photos in {path_as_text(top)}",
            got=f"{len(tree.people)}",
            advice="give a folder that has one folder of photos per person",
        )
    return LabelledPhotos(
        name or path_as_text(top.name),
        tuple(photo for own in tree.people.values() for photo in own),
        np.repeat(np.arange(len(tree.people), dtype=np.intp), [len(own) for own in tree.people.values()]),
        tuple(tree.people),
        tuple(problems),
    )

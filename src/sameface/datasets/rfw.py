"""Racial Faces in the Wild: four lists of pairs, one a group, evaluated as one set so that all meet the same τ.

Source: Wang et al. 2019, and the files of its test set: ``data/African/NAME/NAME_0001.jpg`` and ``txts/African/African_pairs.txt``, likewise for
Asian, Caucasian and Indian. Each list has ten folds of 600 pairs, half of them mated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.datasets.model import PairList
from sameface.datasets.pair_lists import read_pair_list
from sameface.errors import DataError
from sameface.files import path_as_text

#: The column that its groups are in, by the publishers' word.
COLUMN = "race"


def rfw_lists(folder: Path) -> dict[str, tuple[Path, Path]]:
    """By group its images and its list, as far as both are there; empty for any other folder."""
    for top in (folder, folder / "test"):
        found = {
            file.parent.name: (top / "data" / file.parent.name, file) for file in sorted(top.glob("txts/*/*_pairs.txt"))
        }
        found = {group: item for group, item in found.items() if item[0].is_dir()}
        if found:
            return found
    return {}


def read_rfw(folder: str | Path) -> PairList:
    """Read all groups of RFW as one list of pairs, with the group of each pair and the folds of its own list.

    Args:
        folder: the test set, with ``data`` and ``txts`` inside.

    Raises:
        DataError: no list with its images, or a list that has no pair left.
    """
    lists = rfw_lists(Path(folder))
    if not lists:
        raise DataError(
            expected=f"data/GROUP and txts/GROUP/GROUP_pairs.txt in {path_as_text(Path(folder))}",
            got="no group with both",
            advice="give RFW's test set as published",
        )
    parts = {group: read_pair_list(images, file) for group, (images, file) in lists.items()}
    photos = np.cumsum([0, *(len(part.photos) for part in parts.values())])
    people = np.cumsum([0, *(int(part.people.max()) + 1 for part in parts.values())])
    folds = [part.folds for part in parts.values() if part.folds is not None]
    each = list(parts.values())
    return PairList(
        "RFW",
        f"RFW: {sum(len(part.same) for part in each)} pairs of {', '.join(parts)}, as published",
        tuple(photo for part in each for photo in part.photos),
        np.concatenate([part.a + at for part, at in zip(each, photos[:-1], strict=True)]),
        np.concatenate([part.b + at for part, at in zip(each, photos[:-1], strict=True)]),
        np.concatenate([part.same for part in each]),
        np.concatenate([part.people + at for part, at in zip(each, people[:-1], strict=True)]),
        np.concatenate(folds) if len(folds) == len(each) else None,
        {COLUMN: tuple(group for group, part in parts.items() for _ in part.same)},
        tuple(item for part in each for item in part.problems),
    )

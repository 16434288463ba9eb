"""What a training learns from: a folder per person, or one of the field's files, as photos that belong to people."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sameface.datasets import LabelledPhotos, open_data
from sameface.datasets.omniglot import is_omniglot
from sameface.errors import DataError, NotEnoughDataError
from sameface.files import Skipped, path_as_text
from sameface.training.pictures import files_by_person


class Source(NamedTuple):
    """Photos to learn from.

    Attributes:
        photos: with the people they show.
        skipped: what was passed over.
    """

    photos: LabelledPhotos
    skipped: list[Skipped]


def open_source(data: Path) -> Source:
    """Find the photos of a data set; none is decoded.

    Args:
        data: a folder per person; Omniglot as it is unpacked; a ``.rec`` of InsightFace; tar files of WebDataset, one or a folder of them; a CSV
            with the columns ``photo`` and ``person``.

    Raises:
        DataError: no such data, or pairs, which say who is the same and not who anybody is.
        NotEnoughDataError: one photo of everybody, or fewer than two people.
    """
    if not data.exists() or (_has_folders(data) and not is_omniglot(data)):
        source = _folder(data)
    else:
        found = open_data(data)
        if not isinstance(found, LabelledPhotos):
            raise DataError(
                expected="photos with the people they show",
                got=f"{found.name}: pairs of photos, {found.protocol}",
                advice="pairs are for `sameface evaluate`; train on a folder per person, a .rec, tar files or a CSV of photo and person",
            )
        source = Source(found, [Skipped(Path(item.where), str(item.error)) for item in found.problems])
    counts = np.bincount(source.photos.people, minlength=len(source.photos.names))
    if not (counts > 1).any():
        raise NotEnoughDataError(
            expected="at least some people with two photos",
            got=f"{len(source.photos.names)} people with one photo each",
            advice="add second photos: from one photo each a network learns who differs, never what stays the same;"
            " to enroll people by one photo no training is needed",
        )
    return source


def _has_folders(data: Path) -> bool:
    return data.is_dir() and any(item.is_dir() for item in data.iterdir())


def _folder(data: Path) -> Source:
    files, skipped = files_by_person(data)
    names = tuple(files)
    photos = tuple(path for paths in files.values() for path in paths)
    people = np.repeat(np.arange(len(names)), [len(paths) for paths in files.values()])
    return Source(LabelledPhotos(path_as_text(data.name), photos, people, names), skipped)

"""InsightFace's ``.bin``: a verification set in one file, as LFW, CFP-FP, AgeDB-30, CALFW and CPLFW are passed around.

Source: ``lfw2pack.py`` and ``verification.py`` of InsightFace: a pickle of a list of encoded images, two for each pair in turn, and a list that
says of each pair whether it is mated. Ten folds, by position.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.datasets.model import PairCollector, PairList
from sameface.datasets.photo import PackedPhoto
from sameface.datasets.pickled import Stored, read_pickled
from sameface.errors import DataError
from sameface.files import path_as_text

#: Folds of the published protocols.
FOLDS = 10


def read_bin(file: str | Path) -> PairList:
    """Read a ``.bin``. Nothing in it is run.

    Returns:
        Its pairs, in order, in ten folds by position (none where a fold would lack a kind of pair). Images with the same content are one photo.
        Whose they are the file does not say: photos that mated pairs link are one person's.

    Raises:
        DataError: not such a file.
    """
    path = Path(file)
    images, same = _content(path)
    folds = positions(same)
    how = "pairs as published" if folds is None else "pairs as published, ten folds in order"
    collector = PairCollector(path.stem, f"{path.name}: {len(same)} {how}", published=True)
    first_of: dict[str, PackedPhoto] = {}
    photos = [
        first_of.setdefault(image.sha256, PackedPhoto(path, ((image.offset, image.length),), f"image {number}"))
        for number, image in enumerate(images)
    ]
    for number, mated in enumerate(same):
        collector.add(
            photos[2 * number],
            photos[2 * number + 1],
            mated,
            where=f"{path.name}, pair {number}",
            fold=-1 if folds is None else int(folds[number]),
        )
    return collector.finish()


def positions(same: list[bool], folds: int = FOLDS) -> np.ndarray[tuple[int], np.dtype[np.intp]] | None:
    """The fold of each pair, by position as scikit-learn's ``KFold`` without shuffling gives them; None where one would lack a kind of pair.

    >>> positions([True, False, True, False, True], folds=2).tolist()
    [0, 0, 0, 1, 1]
    """
    parts = np.array_split(np.array(same, dtype=np.bool_), folds)
    if any(len(part) < 2 or part.all() or not part.any() for part in parts):
        return None
    return np.repeat(np.arange(folds), [len(part) for part in parts]).astype(np.intp)


def _content(path: Path) -> tuple[list[Stored], list[bool]]:
    value = read_pickled(path)
    got = "another content"
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(part, (list, tuple)) for part in value):
        images, same = value
        if not all(isinstance(image, Stored) for image in images):
            got = "images that are no bytes"
        elif not all(isinstance(item, (bool, int)) for item in same):
            got = "labels that are no truth values"
        elif len(images) != 2 * len(same):
            got = f"{len(images)} images for {len(same)} pairs"
        else:
            return list(images), [bool(item) for item in same]
    raise DataError(
        expected=f"two encoded images for each pair and whether it is mated, in {path_as_text(path)}",
        got=got,
        advice="give a .bin of InsightFace",
    )

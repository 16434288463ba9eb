"""Which reader a path wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sameface.datasets.cfp import Experiment, read_cfp
from sameface.datasets.csv_file import read_csv
from sameface.datasets.folder import read_folder
from sameface.datasets.insightface import read_bin
from sameface.datasets.lfw import read_lfw_people
from sameface.datasets.model import Bench
from sameface.datasets.omniglot import is_omniglot, read_omniglot
from sameface.datasets.pair_lists import read_pair_list
from sameface.datasets.photo_table import read_photo_table
from sameface.datasets.recordio import read_rec
from sameface.datasets.rfw import read_rfw, rfw_lists
from sameface.datasets.shards import read_shards, shard_files
from sameface.datasets.table import read_pair_table
from sameface.errors import SettingError


def open_data(
    data: str | Path,
    *,
    pairs: str | Path | None = None,
    people: str | Path | None = None,
    cfp: Experiment = "FP",
) -> Bench:
    """Read whatever lies at a path.

    Args:
        data: a folder per person; a CSV table of pairs or photos; the folder of CFP, RFW or Omniglot; a ``.bin`` or ``.rec`` of
            InsightFace; tar files of WebDataset, one, a folder of them, or ``faces-{000..012}.tar``; or, with `pairs`, a folder of images.
        pairs: a list of pairs of LFW, CALFW, CPLFW, XQLFW or RFW, or rows of two paths and 1 or 0.
        people: a list of people of LFW, or of characters of Omniglot: only these are taken from the folder.
        cfp: which experiment of CFP.

    Raises:
        DataError: it cannot be read.
        SettingError: options that do not go together.
    """
    path = Path(data)
    if pairs is not None and people is not None:
        raise SettingError(expected="pairs or people", got="both", advice="give one of the two lists")
    images = path / "images" if (path / "images").is_dir() else path
    if pairs is not None:
        return read_pair_list(images, pairs)
    if path.suffix.lower() == ".tar":
        return read_shards(path)
    if path.is_file():
        return _FILES.get(path.suffix.lower(), _read_table)(path)
    if is_omniglot(path):
        return read_omniglot(path, people)
    if (path / "Protocol" / "Split").is_dir():
        return read_cfp(path, cfp)
    if rfw_lists(path):
        return read_rfw(path)
    if people is not None:
        return read_folder(images, only=read_lfw_people(people), name=Path(people).stem)
    if path.is_dir() and not any(item.is_dir() for item in path.iterdir()) and shard_files(path):
        return read_shards(path)
    return read_folder(images, name=path.name)


def _read_table(path: Path) -> Bench:
    """A table of photos where it has a column for them, else one of pairs."""
    columns = {name.strip().lower() for name in read_csv(path).fieldnames or []}
    return read_photo_table(path) if {"photo", "person"} <= columns else read_pair_table(path)


_FILES: Final[Mapping[str, Callable[[Path], Bench]]] = {".bin": read_bin, ".rec": read_rec}

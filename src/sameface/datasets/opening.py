"""Which reader a path wants."""

from __future__ import annotations

from pathlib import Path

from sameface.datasets.cfp import Experiment, read_cfp
from sameface.datasets.folder import read_folder
from sameface.datasets.lfw import read_lfw_pairs, read_lfw_people
from sameface.datasets.model import Bench
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
        data: a folder per person; a CSV table of pairs; the folder of CFP; or, with `pairs`, the images of LFW.
        pairs: a pair list of LFW.
        people: a list of people of LFW: only these are taken from a folder per person.
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
        return read_lfw_pairs(images, pairs)
    if path.is_file():
        return read_pair_table(path)
    if (path / "Protocol" / "Split").is_dir():
        return read_cfp(path, cfp)
    if people is not None:
        return read_folder(images, only=read_lfw_people(people), name=Path(people).stem)
    return read_folder(images, name=path.name)

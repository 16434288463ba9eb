"""Celebrities in Frontal-Profile: ten folds of frontal-frontal or frontal-profile pairs.

Source: Sengupta et al. 2016. ``Protocol/Pair_list_F.txt`` and ``Pair_list_P.txt`` number the photos (``1 ../Data/Images/001/frontal/01.jpg``);
``Protocol/Split/FP/01/same.txt`` and ``diff.txt`` hold pairs ``i,j`` of those numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sameface.datasets.lfw import read_lines
from sameface.datasets.model import PairCollector, PairList
from sameface.errors import DataError

Experiment = Literal["FF", "FP"]


def read_cfp(folder: str | Path, experiment: Experiment = "FP") -> PairList:
    """Read one experiment of CFP.

    Args:
        folder: the unpacked data set, with ``Data`` and ``Protocol``.
        experiment: ``FF`` frontal with frontal, ``FP`` frontal with profile.

    Raises:
        DataError: the protocol's files are not there, or no pair is left.
    """
    protocol = Path(folder) / "Protocol"
    first = _numbered(protocol / "Pair_list_F.txt", protocol)
    second = first if experiment == "FF" else _numbered(protocol / "Pair_list_P.txt", protocol)
    splits = sorted(p for p in (protocol / "Split" / experiment).glob("*") if p.is_dir())
    if not splits:
        raise DataError(
            expected=f"folds in {protocol / 'Split' / experiment}",
            got="none",
            advice="give the folder of CFP that has Data and Protocol in it",
        )
    protocol_name = f"CFP {experiment}, {len(splits)} folds as published"
    collector = PairCollector(f"CFP-{experiment}", protocol_name, published=True)
    for fold, split in enumerate(splits):
        for same, file in ((True, split / "same.txt"), (False, split / "diff.txt")):
            for number, line in enumerate(read_lines(file), 1):
                if not line.strip():
                    continue
                where = f"{experiment}/{split.name}/{file.name}:{number}"
                parts = [part.strip() for part in line.split(",")]
                if len(parts) != 2 or parts[0] not in first or parts[1] not in second:
                    collector.malformed(where, "two known photo numbers `i,j`", repr(line.strip()[:80]))
                    continue
                a, b = first[parts[0]], second[parts[1]]
                collector.add(a, b, same, where=where, fold=fold, people=(a.parts[-3], b.parts[-3]))
    return collector.finish()


def _numbered(file: Path, base: Path) -> dict[str, Path]:
    photos = {}
    for line in read_lines(file):
        number, _, path = line.strip().partition(" ")
        if path:
            photos[number] = Path(_joined(base, path.strip()))
    return photos


def _joined(base: Path, relative: str) -> Path:
    for part in relative.replace("\\", "/").split("/"):
        base = base.parent if part == ".." else base if part in (".", "") else base / part
    return base

"""Lists of pairs as the field publishes them beside LFW's own: CALFW, CPLFW, RFW, and plain ones.

- CALFW, CPLFW: two lines a pair, ``Ada_Lovelace_0001.jpg 3`` and ``Ada_Lovelace_0002.jpg 3``; 0 says two people, a number above says one person
  and the fold.
- RFW: LFW's rows without a first line, ``name i j`` and ``name i name j``; mated pairs first in each of ten folds.
- plain: ``path path label`` or ``label path path``, by blanks, tabs or commas; AgeDB-30 is passed around so.

XQLFW's list has LFW's form, see `read_lfw_pairs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from sameface.datasets.insightface import FOLDS, positions
from sameface.datasets.lfw import photo_of, read_lfw_pairs, read_lines
from sameface.datasets.model import PairCollector, PairList
from sameface.errors import DataError
from sameface.files import PHOTO_SUFFIXES, path_as_text

_LABELS: Final = {"1": True, "0": False, "-1": False}
_NUMBERED: Final = re.compile(r"(.+)_\d+")
Row = list[str]


def read_pair_list(images: str | Path, file: str | Path) -> PairList:
    """Read a list of pairs in whichever of the published forms it has.

    Args:
        images: the folder that its names or paths start from.
        file: the list.

    Raises:
        DataError: a form that is none of them, or no pair is left.
    """
    folder, path = Path(images), Path(file)
    rows = [re.split(r"[,\t]" if re.search(r"[,\t]", line) else r"\s+", line.strip()) for line in read_lines(path)]
    rows = [[cell.strip() for cell in row] for row in rows if row != [""]]
    first = rows[0] if rows else []
    if 1 <= len(first) <= 2 and all(cell.isdigit() for cell in first):
        return read_lfw_pairs(folder, path)
    readers: tuple[tuple[Callable[[Row], bool], Callable[[Path, Path, list[Row]], PairList]], ...] = (
        (lambda row: len(row) == 2 and row[1].isdigit() and _is_photo_name(row[0]), _two_lines_a_pair),
        (
            lambda row: len(row) in (3, 4) and row[1].isdigit() and row[-1].isdigit() and not _is_photo_name(row[0]),
            _numbered,
        ),
        (lambda row: len(row) == 3 and (row[2] in _LABELS or row[0] in _LABELS), _labelled),
    )
    for fits, read in readers:
        if rows and fits(first):
            return read(folder, path, rows)
    raise DataError(
        expected="pairs as LFW, CALFW, CPLFW, XQLFW or RFW publish them, or rows of two paths and 1 or 0",
        got=f"{' '.join(first)[:80]!r} in {path_as_text(path)}" if first else f"an empty file {path_as_text(path)}",
        advice="give such a list, or a CSV table with the columns a,b,same",
    )


def _two_lines_a_pair(folder: Path, path: Path, rows: list[Row]) -> PairList:
    """CALFW and CPLFW. The mated pairs say their fold; the non-mated ones are dealt out in order, as many to each."""
    collector = PairCollector(path.stem, f"{path.name}: pairs as published", published=True)
    folds = {int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()} - {0}
    of = {value: fold for fold, value in enumerate(sorted(folds))}
    apart = sum(len(row) == 2 and row[1] == "0" for row in rows) // 2
    dealt = np.repeat(np.arange(len(of) or 1), [len(part) for part in np.array_split(np.arange(apart), len(of) or 1)])
    several, seen = len(of) > 1 and apart >= len(of), 0
    for number in range(0, len(rows), 2):
        where = f"{path.name}:{number + 1}"
        pair = rows[number : number + 2]
        if len(pair) != 2 or any(len(row) != 2 or not row[1].isdigit() for row in pair) or pair[0][1] != pair[1][1]:
            collector.malformed(where, "two lines `photo number` with one number", repr(pair)[:80])
            continue
        (a, token), (b, _) = pair
        same = token != "0"
        fold = of[int(token)] if same else int(dealt[min(seen, apart - 1)])
        seen += not same
        collector.add(
            folder / a, folder / b, same, where=where, fold=fold if several else -1, people=_people(a, b, same)
        )
    return collector.finish()


def _numbered(folder: Path, path: Path, rows: list[Row]) -> PairList:
    """RFW: mated pairs after non-mated ones begin the next fold."""
    collector = PairCollector(path.stem, f"{path.name}: pairs as published", published=True)
    fold, last_same, parsed = 0, True, []
    for number, row in enumerate(rows, 1):
        numbers = row[1::2] if len(row) == 4 else row[1:]
        if len(row) not in (3, 4) or not all(cell.isdigit() for cell in numbers):
            collector.malformed(f"{path.name}:{number}", "`name i j` or `name i name j`", repr(" ".join(row)[:80]))
            continue
        same = len(row) == 3
        fold += same and not last_same
        last_same = same
        people = (row[0], row[0] if same else row[2])
        parsed.append((number, people, numbers, same, fold))
    for number, people, numbers, same, in_fold in parsed:
        a, b = (photo_of(folder, person, index) for person, index in zip(people, numbers, strict=True))
        collector.add(a, b, same, where=f"{path.name}:{number}", fold=in_fold if fold else -1, people=people)
    return collector.finish()


def _labelled(folder: Path, path: Path, rows: list[Row]) -> PairList:
    """Two paths and a label, in ten folds by position where each has both kinds."""
    last = sum(row[-1] in _LABELS for row in rows) >= sum(row[0] in _LABELS for row in rows)
    good: list[tuple[int, str, str, bool]] = []
    collector = PairCollector(path.stem, f"{path.name}: pairs in the list's order", published=True)
    for number, row in enumerate(rows, 1):
        a, b, label = row if last and len(row) == 3 else (*row[1:], row[0]) if len(row) == 3 else ("", "", "")
        if label not in _LABELS or not a or not b:
            collector.malformed(f"{path.name}:{number}", "two paths and 1 or 0", repr(" ".join(row)[:80]))
            continue
        good.append((number, a, b, _LABELS[label]))
    folds = positions([same for *_, same in good], FOLDS)
    for place, (number, a, b, same) in enumerate(good):
        fold = -1 if folds is None else int(folds[place])
        collector.add(folder / a, folder / b, same, where=f"{path.name}:{number}", fold=fold, people=None)
    return collector.finish()


def _is_photo_name(name: str) -> bool:
    return Path(name).suffix.lower() in PHOTO_SUFFIXES


def _people(a: str, b: str, same: bool) -> tuple[str, str] | None:
    """Whose photos they are by their names, ``Ada_Lovelace_0001.jpg``; None where the names say otherwise than the label."""
    found = [_NUMBERED.fullmatch(Path(name).stem) for name in (a, b)]
    if found[0] is None or found[1] is None or (found[0][1] == found[1][1]) != same:
        return None
    return found[0][1], found[1][1]

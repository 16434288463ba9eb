"""The lists of Labeled Faces in the Wild: View 1 and View 2.

Source: Huang et al. 2007, and the README of the data set. Pairs: ``name i j`` for two photos of one person, ``name i name j`` for two of
two, tab separated. View 1 starts with one count, View 2 with the number of folds and the pairs of each kind per fold; each fold has its mated pairs
first.
"""

from __future__ import annotations

from pathlib import Path

from sameface.datasets.model import PairCollector, PairList, problem
from sameface.errors import DataError


def read_lfw_pairs(images: str | Path, pairs: str | Path) -> PairList:
    """Read a list of pairs of LFW.

    Args:
        images: the folder with a folder per person.
        pairs: ``pairsDevTrain.txt``, ``pairsDevTest.txt``, or View 2's ``pairs.txt`` with its ten folds.

    Returns:
        The pairs in the file's order. Folds are those of the file; View 1 has none.

    Raises:
        DataError: not such a list, or not a pair left.
    """
    file, folder = Path(pairs), Path(images)
    lines = read_lines(file)
    header = lines[0].split() if lines else []
    if not (1 <= len(header) <= 2 and all(part.isdigit() for part in header)):
        raise DataError(
            expected="a first line with one count (View 1) or with folds and pairs per fold (View 2)",
            got=f"{lines[0][:80]!r} in {file}" if lines else f"an empty file {file}",
            advice="give a pair list of LFW, or a CSV file with the columns a,b,same",
        )
    view2 = len(header) == 2
    collector = PairCollector(file.stem, f"LFW {'View 2' if view2 else 'View 1'}, {file.name}: pairs as published")
    fold, last_same, counted = (0 if view2 else -1), True, 0
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        where = f"{file.name}:{number}"
        parts = line.rstrip("\n").split("\t") if "\t" in line else line.split()
        parts = [part.strip() for part in parts]
        counted += 1
        if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
            people, same = (parts[0], parts[0]), True
            first, second = photo_of(folder, parts[0], parts[1]), photo_of(folder, parts[0], parts[2])
        elif len(parts) == 4 and parts[1].isdigit() and parts[3].isdigit() and parts[0] != parts[2]:
            people, same = (parts[0], parts[2]), False
            first, second = photo_of(folder, parts[0], parts[1]), photo_of(folder, parts[2], parts[3])
        else:
            collector.malformed(where, "`name i j`, or `name i name j` with two names", repr(line.strip()[:80]))
            continue
        if view2 and same and not last_same:
            fold += 1  # mated pairs after non-mated ones: the next fold begins, even where rows were lost
        last_same = same
        collector.add(first, second, same, where=where, fold=fold, people=people)
    expected = 2 * int(header[-1]) * (int(header[0]) if view2 else 1)
    if counted != expected:
        collector.problems.append(
            problem(
                "count differs",
                file.name,
                expected=f"{expected} pairs, as the first line says",
                got=f"{counted} rows",
                advice="compare the file with its publisher's",
                dropped=False,
            )
        )
    if view2 and fold + 1 != int(header[0]):
        raise DataError(
            expected=f"{header[0]} folds in {file}",
            got=f"{fold + 1}",
            advice="compare the file with its publisher's: each fold has its mated pairs first",
        )
    return collector.finish()


def read_lfw_people(people: str | Path) -> set[str]:
    """Read the names of a list of people: ``peopleDevTrain.txt``, or View 2's ``people.txt``.

    Raises:
        DataError: no such file, or no ``name count`` row.
    """
    names = set()
    for line in read_lines(Path(people)):
        parts = line.split("\t") if "\t" in line else line.split()
        if len(parts) == 2 and parts[1].strip().isdigit() and not parts[0].isdigit():
            names.add(parts[0].strip())
    if not names:
        raise DataError(expected=f"rows `name count` in {people}", got="none", advice="give a list of people of LFW")
    return names


def photo_of(images: Path, person: str, number: str) -> Path:
    """Where LFW keeps a photo: ``Name/Name_0001.jpg``."""
    return images / person / f"{person}_{int(number):04d}.jpg"


def read_lines(file: Path) -> list[str]:
    """Lines of a text file in UTF-8.

    Raises:
        DataError: it cannot be read, or is not text.
    """
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            expected=f"a text file in UTF-8 at {file}", got=str(error), advice="check the path and the encoding"
        ) from error

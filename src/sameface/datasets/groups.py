"""Groups of people or of photos, for error rates per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sameface.datasets.csv_file import read_csv
from sameface.datasets.model import Bench, DataProblem, PairList, ProblemKind, problem
from sameface.datasets.naming import find_photos
from sameface.errors import DataError


def read_groups(bench: Bench, file: str | Path) -> Bench:
    """Add groups from a CSV file: the column ``person`` or ``photo``, and one column per grouping.

    A photo is named by its path, or by the end of it that no other photo has: ``Ada/3.jpg``.

    Raises:
        DataError: no such file, without those columns, ``person`` for a list of pairs, or a name that several photos have.
    """
    path = Path(file)
    reader = read_csv(path)
    columns = {name.strip(): name for name in reader.fieldnames or []}
    key = next((name for name in ("person", "photo") if name in columns), "")
    if not key or len(columns) < 2:
        raise DataError(
            expected="the column person or photo, and at least one more",
            got=f"{', '.join(columns) or 'none'} in {path.name}",
            advice="name the person's folder in `person`, or the file in `photo`, and give a column per grouping",
        )
    rows = {(row[columns[key]] or "").strip(): row for row in reader}
    given = {
        title: {name: (row[column] or "").strip() for name, row in rows.items()}
        for title, column in columns.items()
        if title not in ("person", "photo")
    }
    if key == "photo":
        places = find_photos(bench.photos, list(rows), path.name)
        unnamed = [name for name in rows if name not in places]
        values = {title: [""] * len(bench.photos) for title in given}
        for title, of in given.items():
            for name, place in places.items():
                values[title][place] = of[name]
        kept = {**bench.photo_groups, **{title: tuple(row) for title, row in values.items()}}
        return replace(
            bench,
            photo_groups=kept,
            problems=(*bench.problems, *_unknown("unknown photo", path, unnamed, "photos of the data set")),
        )
    if isinstance(bench, PairList):
        raise DataError(
            expected="the column photo for a list of pairs, which names nobody",
            got=f"the column person in {path.name}",
            advice="label photos, or give a folder per person",
        )
    known = set(bench.names)
    unknown = _unknown("unknown person", path, sorted(set(rows) - known), "people of the data set")
    groups = {title: tuple(of.get(name, "") for name in bench.names) for title, of in given.items()}
    return replace(bench, groups={**bench.groups, **groups}, problems=(*bench.problems, *unknown))


def _unknown(kind: ProblemKind, file: Path, names: Sequence[str], expected: str) -> list[DataProblem]:
    return [problem(kind, file.name, expected=expected, got=repr(name), advice="correct the name") for name in names]

"""Groups of people, for error rates per group."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sameface.datasets.csv_file import read_csv
from sameface.datasets.model import DataProblem, LabelledPhotos, problem
from sameface.errors import DataError


def read_groups(bench: LabelledPhotos, file: str | Path) -> LabelledPhotos:
    """Add groups to labelled photos from a CSV file with the column ``person`` and one column per grouping.

    Raises:
        DataError: no such file, or without those columns.
    """
    path = Path(file)
    reader = read_csv(path)
    columns = {name.strip(): name for name in reader.fieldnames or []}
    if "person" not in columns or len(columns) < 2:
        raise DataError(
            expected="the column person and at least one more",
            got=f"{', '.join(columns) or 'none'} in {path.name}",
            advice="name the person's folder in `person` and give a column per grouping",
        )
    rows = {(row[columns["person"]] or "").strip(): row for row in reader}
    known = set(bench.names)
    problems: list[DataProblem] = [
        problem(
            "unknown person", path.name, expected="people of the data set", got=repr(name), advice="correct the name"
        )
        for name in sorted(set(rows) - known)
    ]
    groups = {
        title: tuple((rows.get(name, {}).get(column) or "").strip() for name in bench.names)
        for title, column in columns.items()
        if title != "person"
    }
    return replace(bench, groups=groups, problems=(*bench.problems, *problems))

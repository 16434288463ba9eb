"""A CSV table of photos: a path and a person a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.datasets.csv_file import read_csv
from sameface.datasets.model import DataProblem, LabelledPhotos, ProblemKind, problem
from sameface.errors import DataError
from sameface.files import path_as_text


def read_photo_table(file: str | Path) -> LabelledPhotos:
    """Read a CSV file with the columns ``photo`` and ``person``; every other column groups people.

    Paths are relative to the file's folder, or absolute. People come in the order in which they first stand there.

    Raises:
        DataError: no such file, another encoding, a column missing, or fewer than two people. Single bad rows are noted, not raised.
    """
    path = Path(file)
    reader = read_csv(path)
    columns = {name.strip().lower(): name for name in reader.fieldnames or []}
    if not {"photo", "person"} <= set(columns):
        raise DataError(
            expected="the columns photo and person",
            got=f"{', '.join(columns) or 'none'} in {path.name}",
            advice="add or rename them",
        )
    titles = [title for title in columns if title not in ("photo", "person")]
    rows: dict[Path, str] = {}
    groups: dict[str, dict[str, str]] = {title: {} for title in titles}
    problems: list[DataProblem] = []

    def note(kind: ProblemKind, line: int, expected: str, got: str, advice: str) -> None:
        problems.append(problem(kind, f"{path.name}:{line}", expected=expected, got=got, advice=advice))

    for line, row in enumerate(reader, 2):
        cells = {name: (row.get(columns[name]) or "").strip() for name in columns}
        photo, person = path.parent / cells["photo"], cells["person"]
        if not cells["photo"] or not person:
            note("malformed row", line, "a photo and a person", repr(",".join(cells.values())[:80]), "correct the row")
        elif not photo.is_file():
            note(
                "missing photo", line, "a photo at that path", path_as_text(photo), "correct the path or add the photo"
            )
        elif rows.setdefault(photo, person) != person:
            got = f"{path_as_text(photo)} with another person before"
            note("contradicting labels", line, "one person per photo", got, "correct one of the rows")
        else:
            for title in titles:
                groups[title].setdefault(person, cells[title])
    names = list(dict.fromkeys(rows.values()))
    if len(names) < 2:
        raise DataError(
            expected=f"photos of at least two people in {path_as_text(path)}", got=str(len(names)), advice="add rows"
        )
    place = {name: number for number, name in enumerate(names)}
    numbers = np.array([place[person] for person in rows.values()], dtype=np.intp)
    order = np.argsort(numbers, kind="stable")
    photos = list(rows)
    return LabelledPhotos(
        path.stem,
        tuple(photos[index] for index in order),
        numbers[order],
        tuple(names),
        tuple(problems),
        {title: tuple(values.get(name, "") for name in names) for title, values in groups.items()},
    )

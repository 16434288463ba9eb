"""Scores as a table that anybody can check: a row for each pair, and the same numbers again when it is read back.

Columns: ``a``, ``b`` (photos), ``same`` (1 or 0), ``person_a``, ``person_b`` (numbers or names), ``fold`` for lists of pairs that have folds of
their own, ``distance``, or ``distance:ENCODER`` for each of several encoders, and a column for each grouping. A face that was not found is at
``inf``. CSV, or Parquet by the ending ``.parquet``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.datasets.csv_file import delimiter_of
from sameface.datasets.naming import photo_names
from sameface.datasets.photo import Photo
from sameface.errors import DataError, ExtraMissingError
from sameface.evaluation.scores import Scores, compared_photos
from sameface.files import atomic_write, path_as_text
from sameface.metrics.folds import linked

_OWN: Final = ("a", "b", "same", "person_a", "person_b", "fold")
#: The person of the first and of the second photo of each pair, ``(n,)`` each.
Sides = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]
#: Cells that are kept once for all rows.
_MOST_KEPT: Final = 200_000
_TRUTH: Final = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True, eq=False)
class GivenScores:
    """Pairs with the distances that one encoder or several gave.

    Attributes:
        name: of the file.
        photos: names of the photos that ``Scores.a`` and ``b`` number.
        scores: by encoder; "" where the file names none.
        groups: by column, ``(n,)`` the group of each pair, "" for none.
    """

    name: str
    photos: tuple[str, ...]
    scores: Mapping[str, Scores]
    groups: Mapping[str, npt.NDArray[np.str_]]


def write_scores(
    path: Path, photos: Sequence[Photo], scores: Mapping[str, Scores], groups: Mapping[str, npt.NDArray[np.str_]]
) -> None:
    """Write the scores of one data set.

    Args:
        path: ``.parquet`` or any other ending, for CSV.
        photos: of the data set.
        scores: by encoder, all of the same pairs.
        groups: by column, the group of each pair.

    Raises:
        ExtraMissingError: Parquet without pyarrow.
        OutputError, StorageFullError: it cannot be written.
    """
    first = next(iter(scores.values()))
    names = np.array(photo_names(photos), dtype=object)
    columns: dict[str, npt.NDArray[Any]] = {
        "a": names[first.a],
        "b": names[first.b],
        "same": first.same.astype(np.int8),
        "person_a": first.person_a,
        "person_b": first.person_b,
    }
    if first.photos_of is None:  # all pairs are told by having no folds
        columns["fold"] = np.full(len(first.a), -1) if first.folds is None else first.folds
    for encoder, item in scores.items():
        columns["distance" if len(scores) == 1 else f"distance:{encoder}"] = item.distances
    columns |= dict(groups)
    with atomic_write(path) as part:
        if path.suffix.lower() == ".parquet":
            arrow, parquet = _pyarrow()
            parquet.write_table(arrow.table({name: arrow.array(values) for name, values in columns.items()}), part)
            return
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for at in range(0, len(first.a), 10_000):
                # Python writes a float so that it is read back as the same number.
                writer.writerows(zip(*(values[at : at + 10_000].tolist() for values in columns.values()), strict=True))


def is_scores(path: Path) -> bool:
    """Whether a file is a table of scores: by its columns."""
    suffix = path.suffix.lower()
    if not path.is_file() or suffix not in (".csv", ".tsv", ".txt", ".parquet"):
        return False
    if suffix == ".parquet":
        return True
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline(65536)
    except (OSError, UnicodeDecodeError):
        return False
    names = [name.strip() for name in next(csv.reader([head], delimiter=delimiter_of(head)), [])]
    return any(_encoder_of(name) is not None for name in names)


def read_scores(file: str | Path) -> GivenScores:
    """Read a table of scores, ours or anybody's.

    ``distance`` (lower is more alike) or ``similarity`` (a cosine, higher is more alike; it becomes the L2 distance of unit vectors, √(2 − 2s)).
    People are taken where they are given; else each photo's person is told by the mated pairs. Where every photo is compared with every other,
    and there is no column ``fold``, the pairs count as all pairs of labelled photos.

    Raises:
        DataError: a column is missing, or a row holds no such values.
    """
    path = Path(file)
    columns = _parquet_columns(path) if path.suffix.lower() == ".parquet" else _csv_columns(path)
    encoders = {encoder: name for name in columns if (encoder := _encoder_of(name)) is not None}
    lacking = [name for name in ("a", "b", "same") if name not in columns]
    if lacking or not encoders:
        raise DataError(
            expected="the columns a, b, same, and distance or similarity",
            got=f"{', '.join(columns) or 'none'} in {path_as_text(path.name)}",
            advice=f"add or rename: {', '.join(lacking or ['distance'])} missing",
        )
    photos: dict[str, int] = {}
    a, b = (_numbered([str(value) for value in columns[name]], photos) for name in ("a", "b"))
    same = np.array([_truth(value, path, row) for row, value in enumerate(columns["same"], 2)], dtype=np.bool_)
    people = _people(columns, a, b, same, len(photos))
    folds = None
    if "fold" in columns:
        given = _floats(columns["fold"], path, "fold", empty=-1.0).astype(np.intp)
        folds = None if (given < 0).any() else given
    found = {}
    for encoder, name in encoders.items():
        distances = _floats(columns[name], path, name, empty=float("inf"))
        if name.startswith("similarity"):
            distances = _from_cosine(distances, path)
        pairs = Scores(distances.astype(np.float32), same, a, b, *people, folds=folds)
        if "fold" not in columns and _all_pairs(a, b, len(photos)):
            whose = np.zeros(len(photos), dtype=np.int32)
            whose[a], whose[b] = people
            there = whose[compared_photos(pairs, len(photos))]
            pairs = replace(pairs, photos_of=np.bincount(there, minlength=int(whose.max(initial=0)) + 1))
        found[encoder] = pairs
    groups = {
        name: np.array([str(value or "") for value in values])
        for name, values in columns.items()
        if name not in _OWN and _encoder_of(name) is None
    }
    return GivenScores(path.stem, tuple(photos), found, groups)


def _encoder_of(column: str) -> str | None:
    """The encoder that a column of scores is of, "" for one without a name; None for another column."""
    kind, named, encoder = column.partition(":")
    return encoder if kind in ("distance", "similarity") and bool(named) == bool(encoder) else None


def _numbered(values: list[str], numbers: dict[str, int]) -> npt.NDArray[np.int32]:
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int32)


def _truth(value: object, path: Path, row: int) -> bool:
    known = _TRUTH.get(str(value).strip().lower())
    if known is None:
        raise DataError(
            expected=f"1 or 0 in the column same of {path_as_text(path.name)}",
            got=f"{str(value)[:40]!r} in row {row}",
            advice="write 1 for a pair of one person, 0 for a pair of two",
        )
    return known


def _floats(values: Sequence[object], path: Path, column: str, *, empty: float) -> npt.NDArray[np.float64]:
    try:
        found = np.array([empty if value in ("", None) else float(value) for value in values])  # type: ignore[arg-type]  # a column of text or of numbers
    except (TypeError, ValueError) as error:
        raise DataError(
            expected=f"numbers in the column {column} of {path_as_text(path.name)}",
            got=str(error),
            advice="write distances with a decimal point; leave a face that was not found empty",
        ) from error
    if np.isnan(found).any() or (column.startswith("distance") and (found < 0).any()):
        raise DataError(
            expected=f"distances of 0 or more in the column {column} of {path_as_text(path.name)}",
            got="NaN" if np.isnan(found).any() else f"{found.min():g}",
            advice="name a column of similarities `similarity`; leave a face that was not found empty",
        )
    return found


def _from_cosine(values: npt.NDArray[np.float64], path: Path) -> npt.NDArray[np.float64]:
    finite = values[np.isfinite(values)]
    if finite.size and (abs(finite) > 1 + 1e-6).any():
        raise DataError(
            expected=f"cosines between -1 and 1 in the column similarity of {path_as_text(path.name)}",
            got=f"{finite[np.argmax(abs(finite))]:g}",
            advice="give distances, where lower is more alike, in a column `distance`",
        )
    return np.where(
        np.isfinite(values), np.sqrt(np.maximum(2 - 2 * np.where(np.isfinite(values), values, 0), 0)), np.inf
    )


def _people(
    columns: Mapping[str, Sequence[object]],
    a: npt.NDArray[np.int32],
    b: npt.NDArray[np.int32],
    same: npt.NDArray[np.bool_],
    photos: int,
) -> Sides:
    """Whose each photo is: numbers as they are, names by first appearance, else whom mated pairs link."""
    if {"person_a", "person_b"} <= set(columns):
        sides = [[str(value) for value in columns[name]] for name in ("person_a", "person_b")]
        if all(value.isascii() and value.isdigit() for side in sides for value in side):
            first, second = (np.array([int(value) for value in side], dtype=np.int32) for side in sides)
        else:
            numbers: dict[str, int] = {}
            first, second = (_numbered(side, numbers) for side in sides)
    else:
        _, whose = np.unique(linked(a[same], b[same], photos), return_inverse=True)
        first, second = whose[a].astype(np.int32), whose[b].astype(np.int32)
    return first, second


def _all_pairs(a: npt.NDArray[np.int32], b: npt.NDArray[np.int32], photos: int) -> bool:
    if len(a) != photos * (photos - 1) // 2 or (a == b).any():
        return False
    low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
    return len(np.unique(low * photos + high)) == len(a)


def _csv_columns(path: Path) -> dict[str, list[str]]:
    kept: dict[str, str] = {}  # names of photos and people come again and again
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter_of(head))
            names = [name.strip() for name in next(reader, [])]
            columns: dict[str, list[str]] = {name: [] for name in names}
            lists = list(columns.values())
            for number, row in enumerate(reader, 2):
                if len(row) != len(lists):
                    if not row:
                        continue
                    raise DataError(
                        expected=f"{len(lists)} cells in each row of {path_as_text(path.name)}",
                        got=f"{len(row)} in row {number}",
                        advice="quote cells that hold the separator",
                    )
                for cells, cell in zip(lists, row, strict=True):
                    cells.append(kept.setdefault(cell, cell) if len(kept) < _MOST_KEPT else cell)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            expected=f"a table of scores in UTF-8 at {path_as_text(path)}", got=str(error), advice="check the file"
        ) from error
    return columns


def _parquet_columns(path: Path) -> dict[str, list[object]]:
    arrow, parquet = _pyarrow()
    try:
        return dict(parquet.read_table(path).to_pydict())
    except (OSError, arrow.ArrowException) as error:
        raise DataError(
            expected=f"a Parquet file at {path_as_text(path)}", got=str(error), advice="check the file"
        ) from error


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            expected="pyarrow, which reads and writes Parquet",
            got="no such package",
            advice='install the extra: pip install "sameface[parquet]"; or take a name that ends in .csv',
        ) from error

"""A CSV table of pairs: anybody's own protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sameface.datasets.csv_file import read_csv
from sameface.datasets.model import PairCollector, PairList
from sameface.errors import DataError

_TRUTH: Final = {
    **dict.fromkeys(("1", "true", "yes", "y", "same", "mated"), True),
    **dict.fromkeys(("0", "false", "no", "n", "different", "non-mated", "-1"), False),
}
_OWN: Final = ("a", "b", "same", "fold", "person_a", "person_b")


def read_pair_table(file: str | Path) -> PairList:
    """Read a CSV file of pairs.

    The columns ``a`` and ``b`` hold paths (relative to the file's folder, or absolute), ``same`` holds 1/0, true/false or yes/no. ``fold`` and
    ``person_a``, ``person_b`` are taken where they are there; every other column is a group. Commas, semicolons and tabs separate; UTF-8, or
    UTF-16 with its mark.

    Raises:
        DataError: no such file, another encoding, a column missing, or no pair left. Single bad rows are noted, not raised.
    """
    path = Path(file)
    reader = read_csv(path)
    columns = {name.strip().lower(): name for name in reader.fieldnames or []}
    lacking = [name for name in ("a", "b", "same") if name not in columns]
    if lacking:
        raise DataError(
            expected="the columns a, b and same",
            got=f"{', '.join(columns) or 'none'} in {path.name}",
            advice=f"add or rename: {', '.join(lacking)} missing",
        )
    given = [name for name in columns if name not in _OWN]
    collector = PairCollector(path.stem, f"pairs of {path.name}")
    for number, row in enumerate(reader, 2):
        where = f"{path.name}:{number}"
        cell = {name: (row.get(columns[name]) or "").strip() for name in columns}
        same = _TRUTH.get(cell["same"].lower())
        if same is None or not cell["a"] or not cell["b"] or None in row:
            collector.malformed(where, "two paths and 1 or 0", repr(",".join(map(str, cell.values()))[:80]))
            continue
        fold = cell.get("fold", "")
        collector.add(
            path.parent / cell["a"],
            path.parent / cell["b"],
            same,
            where=where,
            fold=int(fold) if fold.isdigit() else -1,
            people=(cell["person_a"], cell["person_b"]) if cell.get("person_a") and cell.get("person_b") else None,
            groups={name: cell[name] for name in given},
        )
    return collector.finish()

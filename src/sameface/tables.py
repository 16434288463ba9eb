"""Several answers at once: a list that becomes a table of pandas or polars."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from sameface.errors import ExtraMissingError, SettingError
from sameface.plain import Plain, rows_html

Item = TypeVar("Item", bound=Plain)

#: Libraries that tables are made in, in the order of preference where several are there and none is in use.
LIBRARIES: Final = ("pandas", "polars", "pyarrow")


class Answers(list[Item]):
    """A list of answers.

    >>> from sameface.types import Candidate
    >>> Answers([Candidate("5f0c", "Ada", 0.31)]).to_dicts()
    [{'person_id': '5f0c', 'name': 'Ada', 'distance': 0.31}]
    """

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each answer as plain values."""
        return [answer.to_dict() for answer in self]

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table: `box.x1` becomes ``box_x1``, lists of objects are left out. A photo gives a row for each of its faces."""
        return [row for answer in self for row in answer.to_rows()]

    def to_dataframe(self, library: str | None = None) -> Any:
        """A table with a row for each answer. Needs the extra ``dataframe``, and pandas, polars or PyArrow.

        Args:
            library: ``pandas``, ``polars`` or ``pyarrow``; None takes the one that is imported already, else one that is installed.

        Raises:
            ExtraMissingError: narwhals or the library is not installed.
            SettingError: another library.
        """
        return dataframe(self.rows(), library)

    def _repr_html_(self) -> str:
        return rows_html(self.rows())


def dataframe(rows: list[dict[str, Any]], library: str | None = None) -> Any:
    """Rows as a table of pandas, polars or PyArrow; a column for every name, None where a row has no such value.

    Raises:
        ExtraMissingError, SettingError: see `Answers.to_dataframe`.
    """
    name = _library(library)
    try:
        narwhals = import_module("narwhals")
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            expected="narwhals, which makes tables",
            got="an installation without it",
            advice='run `pip install "sameface[dataframe]"`',
        ) from error
    columns: Mapping[str, list[Any]] = {
        column: [row.get(column) for row in rows] for column in dict.fromkeys(key for row in rows for key in row)
    }
    return narwhals.from_dict(columns, backend=name).to_native()


def _library(wanted: str | None) -> str:
    if wanted is not None and wanted not in LIBRARIES:
        raise SettingError(
            expected=f"a library among {', '.join(LIBRARIES)}", got=repr(wanted), advice="choose one of those"
        )
    for name in (wanted,) if wanted is not None else LIBRARIES:
        if name in sys.modules:
            return name
    for name in (wanted,) if wanted is not None else LIBRARIES:
        if find_spec(name) is not None:
            return name
    raise ExtraMissingError(
        expected=wanted or "pandas, polars or PyArrow",
        got="an installation without it",
        advice=f"run `pip install {wanted or 'pandas'}`",
    )

"""What every answer can do: give itself as plain values, and show itself in a notebook."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from html import escape
from os import PathLike, fspath
from typing import Any, Final, TypeVar

Kind = TypeVar("Kind")
_LOOKED_THROUGH: Final[set[object]] = set()
_ONE_AT_A_TIME: Final = threading.Lock()


class Plain:
    """Base of answers and values. Adds no fields; a dataclass stays one."""

    __slots__ = ()

    def _form(self) -> object:
        """What is given as plain values: the wire form, where an answer has one."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """As JSON gives it back: dictionaries, lists, texts, numbers and None, by the names of the wire form."""
        plain: dict[str, Any] = as_plain(self._form())
        return plain

    def to_rows(self) -> list[dict[str, Any]]:
        """As rows of a table, most often one: ``box_x1`` for what is nested; lists of objects are left out."""
        return [flat(self.to_dict())]

    def _repr_html_(self) -> str:
        return fields_html(type(self).__name__, self.to_dict())


def known(kind: type[Kind]) -> type[Kind]:
    """The type itself, once msgspec has looked through it: whatever is read into a type is read by ``type=known(…)``.

    The first time that msgspec meets a type it writes down the fields, and another thread that meets it meanwhile finds them half written:
    the program ends there (msgspec 0.22, two networks that are loaded at once, each with its card). So only one thread at a time looks.

    >>> known(int)
    <class 'int'>
    """
    if kind not in _LOOKED_THROUGH:
        import msgspec

        with _ONE_AT_A_TIME:
            msgspec.json.Decoder(kind)
            _LOOKED_THROUGH.add(kind)
    return kind


def as_plain(value: object) -> Any:
    """Any of our values as JSON gives it back.

    >>> from sameface.types import Box
    >>> as_plain(Box(1, 2, 3, 4))
    {'x1': 1, 'y1': 2, 'x2': 3, 'y2': 4}
    """
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plainer))


def _plainer(value: object) -> object:
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return value.tolist()
    raise NotImplementedError(f"no plain form of a {type(value).__name__}")


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """One row of a table: what is nested gets names with underscores; lists of dictionaries are left out.

    >>> flat({"name": "Ada", "box": {"x1": 1, "y1": 2}, "groups": ["staff", "board"], "candidates": [{"name": "Ada"}]})
    {'name': 'Ada', 'box_x1': 1, 'box_y1': 2, 'groups': 'staff, board'}
    """
    row: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{before}{name}_")
        elif isinstance(value, list):
            if not any(isinstance(item, (Mapping, list)) for item in value):
                row[before + name] = ", ".join(map(str, value))
        else:
            row[before + name] = value
    return row


def fields_html(title: str, values: Mapping[str, Any]) -> str:
    """A small table of names and values.

    >>> fields_html("Person", {"name": "<Ada>"})
    '<table><caption>Person</caption><tr><th>name</th><td>&lt;Ada&gt;</td></tr></table>'
    """
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_cell(value))}</td></tr>"
        for name, value in flat(values).items()
        if value not in (None, "")
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def rows_html(rows: list[dict[str, Any]], most: int = 20) -> str:
    """A table with a row for each of the first answers."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(row.get(name)))}</td>" for name in columns) + "</tr>"
        for row in rows[:most]
    )
    more = f"<p>… and {len(rows) - most} more</p>" if len(rows) > most else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"

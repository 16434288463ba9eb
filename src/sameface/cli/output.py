"""How answers are printed: a table for people, or one JSON document for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sameface.progress import bar as progress
from sameface.recognizer.words import plural

__all__ = ["ask", "note", "plural", "print_json", "print_line", "print_table", "progress"]

#: No path is cut to fewer columns.
_SHORTEST: Final = 10
#: Columns of a terminal that no table fills; a table takes what it needs of them.
_WIDE: Final = 10_000


def print_json(value: Any) -> None:
    """One JSON document on standard output; dataclasses become objects."""
    import msgspec

    try:
        document = msgspec.json.encode(value)
    except UnicodeEncodeError:
        document = msgspec.json.encode(_printable_all(msgspec.to_builtins(value)))
    sys.stdout.write(msgspec.json.format(document, indent=2).decode() + "\n")


def print_line(text: str) -> None:
    """One plain line on standard output."""
    sys.stdout.write(printable(text) + "\n")


def printable(text: str) -> str:
    """The text, with bytes of a path that are no UTF-8 written as ``\\xff``."""
    from sameface.files import path_as_text

    try:
        text.encode()
    except UnicodeEncodeError:
        return path_as_text(text)
    return text


def _printable_all(value: Any) -> Any:
    """Plain values with every text printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {_printable_all(key): _printable_all(item) for key, item in value.items()}
    return [_printable_all(item) for item in value] if isinstance(value, (list, tuple)) else value


def note(text: str) -> None:
    """One line on standard error: what is used, what goes on; never part of the answer, and never a password."""
    from sameface.errors import without_passwords

    sys.stderr.write(printable(without_passwords(text)) + "\n")


def ask(question: str, *, yes: bool) -> None:
    """Before something that cannot be undone: ask at a terminal; scripts, which have none, are not asked.

    Args:
        question: answered by y or n, in words that say what will be gone.
        yes: whether it was answered already.

    Raises:
        typer.Exit: not agreed; exit code 1.
    """
    import typer

    if yes or not sys.stdin or not sys.stdin.isatty():
        return
    if not typer.confirm(question, err=True):
        note("nothing was changed")
        raise typer.Exit(1)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    unfolded: bool = False,
    shorten: Sequence[str] = (),
) -> None:
    """A table; columns that hold numbers only are set to the right.

    Args:
        columns, rows, title: what to print.
        unfolded: keep each row on one line where the output is no terminal, so that it can be searched line by line.
        shorten: columns that are cut where a row would not fit on the terminal: paths lose their beginning, other texts their end.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if unfolded and not console.is_terminal:
        console.width = _WIDE
    listed = [[printable(cell) for cell in row] for row in rows]
    _fit(columns, listed, shorten, console.width)
    # Columns move together before any of them is folded.
    pad = (0, 1) if _width(columns, listed) <= console.width else (0, 1, 0, 0)
    table = Table(
        title=printable(title) or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=pad
    )
    for index, column in enumerate(columns):
        numeric = bool(listed) and all(_is_number(row[index]) for row in listed)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _fit(columns: Sequence[str], rows: list[list[str]], shorten: Sequence[str], width: int) -> None:
    """Cut long cells of some columns, so that each row takes one line."""
    from rich.cells import cell_len, chop_cells

    needed = [max((cell_len(row[at]) for row in rows), default=0) for at in range(len(columns))]
    needed = [max(cell_len(title), cells) for title, cells in zip(columns, needed, strict=True)]
    cut = [at for at, title in enumerate(columns) if title in shorten]
    room = width - 2 - 3 * (len(columns) - 1) - sum(cells for at, cells in enumerate(needed) if at not in cut)
    for at in cut:
        most = max(_SHORTEST, room // len(cut))
        for row in rows:
            cell = row[at]
            if cell_len(cell) > most:
                path = "/" in cell or os.sep in cell
                row[at] = (
                    f"…{chop_cells(cell[::-1], most - 1)[0][::-1]}" if path else f"{chop_cells(cell, most - 1)[0]}…"
                )


def _width(columns: Sequence[str], rows: list[list[str]]) -> int:
    """Columns of the terminal that a table takes, with three between two cells."""
    from rich.cells import cell_len

    cells = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    return sum(cells) + 3 * (len(cells) - 1) + 2


def _is_number(cell: str) -> bool:
    return cell in ("", "–") or cell.replace(".", "", 1).replace("-", "", 1).rstrip("%s").strip().isdigit()


@contextmanager
def conversion(what: str) -> Iterator[Any]:
    """A progress bar for the one-time conversion of a model's weights; gives a function to tell the share done, 0 to 1."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(f"preparing {what}, once", total=1)
        yield lambda share: bar.update(task, completed=share)

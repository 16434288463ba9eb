"""How answers are printed: a table for people, or one JSON document for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sameface.progress import bar as progress
from sameface.recognizer.words import plural

__all__ = ["ask", "note", "plural", "print_json", "print_line", "print_table", "progress"]

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
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", unfolded: bool = False
) -> None:
    """A table; columns that hold numbers only are set to the right.

    Args:
        columns, rows, title: what to print.
        unfolded: keep each row on one line where the output is no terminal, so that it can be searched line by line.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    table = Table(title=printable(title) or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(listed) and all(_is_number(row[index]) for row in listed)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False)
    if unfolded and not console.is_terminal:
        console.width = _WIDE
    console.print(table)


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

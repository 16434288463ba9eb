"""How answers are printed: a table for people, or one JSON document for programs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sameface.recognizer.words import plural

__all__ = ["ask", "note", "plural", "print_json", "print_line", "print_table", "progress"]

#: Seconds between two lines of progress where there is no terminal, unless ``$SAMEFACE_PROGRESS`` says others; 0 for silence.
_SECONDS: Final = 30.0
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
def progress(label: str, total: int | None) -> Iterator[Any]:
    """A progress bar on standard error with steps per second and the time that is left; plain lines now and then where that is no terminal.

    Gives a function to call with steps done.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(label, total).advance
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn())
    # Answers keep going to standard output while the bar stands on standard error.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(label, total=total)

        def advance(steps: int = 1) -> None:
            bar.advance(task, steps)

        yield advance


class _Lines:
    """Progress for logs: a line every half minute, so that short work stays silent."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total, self.done = label, total, 0
        self.every = _seconds_between_lines()
        self.start = self.said = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        self.done += steps
        now = time.monotonic()
        if not self.every or now - self.said < self.every:
            return
        self.said = now
        speed = self.done / max(now - self.start, 1e-9)
        line = f"{self.label}: {self.done:,}" + (f" of {self.total:,}" if self.total is not None else "")
        line += f", {speed:.1f}/s"
        if self.total is not None and speed:
            line += f", {max(0, self.total - self.done) / speed / 60:.0f} minutes left"
        note(line)


def _seconds_between_lines() -> float:
    from sameface.errors import SettingError

    given = os.environ.get("SAMEFACE_PROGRESS", "")
    try:
        seconds = float(given) if given else _SECONDS
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise SettingError(
            expected="seconds between two lines of progress in SAMEFACE_PROGRESS",
            got=repr(given),
            advice="give a number, 0 for none",
        )
    return seconds


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

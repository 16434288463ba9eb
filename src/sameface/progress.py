"""How long work tells how far it is: four shapes of a callback, silence, and a bar."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from sameface.errors import SettingError

#: Told the share that is done, 0 to 1.
Share = Callable[[float], None]
#: Told how many steps were done since it was last told.
Advance = Callable[[int], None]
#: Told (done, all), in bytes or in pieces.
Tally = Callable[[int, int], None]
#: Begins a named stage of so many steps, None where nobody knows; gives its `Advance` while the context lasts.
Stages = Callable[[str, int], AbstractContextManager[Advance]]
#: What the functions at the top take: whether a bar is wanted, or stages of the caller's own.
Progress = bool | Stages

#: Seconds between two lines of progress where there is no terminal, unless ``$SAMEFACE_PROGRESS`` says others; 0 for silence.
_SECONDS: Final = 30.0
#: Seconds before the first of them.
_FIRST: Final = 8.0
#: Steps from which the time that is left can be told at all.
_STEPS: Final = 3


def no_advance(steps: int) -> None:
    """An `Advance` that tells nobody."""


def no_stages(label: str, total: int) -> AbstractContextManager[Advance]:
    """`Stages` that tell nobody."""
    return nullcontext(no_advance)


def stages_of(progress: Progress) -> Stages:
    """What a caller asked for as stages: a bar, silence, or the caller's own.

    >>> stages_of(False) is no_stages, stages_of(True) is bar
    (True, True)
    """
    if isinstance(progress, bool):
        return bar if progress else no_stages
    return progress


@contextmanager
def bar(label: str, total: int | None) -> Iterator[Any]:
    """A progress bar on standard error with steps per second and the time that is left; plain lines now and then where that is no terminal.

    Gives a function to call with steps done.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
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
    # Answers keep going to standard output while the bar stands on standard error; on one terminal they go above the bar.
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as shown:
        task = shown.add_task(label, total=total)

        def advance(steps: int = 1) -> None:
            shown.advance(task, steps)

        yield advance


class _Lines:
    """Progress for logs: a line every half minute, the first one soon, since it tells how long it will take. Short work stays silent."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total, self.done = label, total, 0
        self.every = _seconds_between_lines()
        self.start = time.monotonic()
        self.said = self.start + min(0.0, _FIRST - self.every)

    def advance(self, steps: int = 1) -> None:
        self.done += steps
        now = time.monotonic()
        first = self.said < self.start and self.total is not None
        if not self.every or now - self.said < self.every or (first and self.done < min(_STEPS, self.total or 0)):
            return
        self.said = now
        speed = self.done / max(now - self.start, 1e-9)
        line = f"{self.label}: {self.done:,}" + (f" of {self.total:,}" if self.total is not None else "")
        line += f", {speed:.1f}/s"
        if self.total is not None and speed:
            line += f", {time_left(max(0, self.total - self.done) / speed)}"
        sys.stderr.write(line + "\n")


def time_left(seconds: float) -> str:
    """The time that is left, in the unit that one would say.

    >>> time_left(7.6), time_left(200), time_left(9000)
    ('8 seconds left', '3 minutes left', '2.5 hours left')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds left"
    return f"{seconds / 60:.0f} minutes left" if seconds < 5400 else f"{seconds / 3600:.1f} hours left"


def _seconds_between_lines() -> float:
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

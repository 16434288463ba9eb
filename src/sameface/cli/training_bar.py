"""How `sameface train` tells how far it is: one bar at a terminal, a line now and then where there is none."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

#: Seconds between lines where there is no terminal.
BETWEEN_LINES: Final = 10.0
#: Seconds left from which a training is long.
LONG: Final = 600.0
_SHOWN: Final = (("loss", "loss {:.3f}"), ("active_share", "active {:.1%}"), ("spread", "spread {:.2f}"))


def numbers_as_text(numbers: Mapping[str, float]) -> str:
    """The numbers of a report in a few words; those that a loss does not tell are left out.

    >>> numbers_as_text({"loss": -0.0001, "active_share": 0.9996, "spread": 0.5})
    'loss 0.000 · active 99.9 % · spread 0.50'
    >>> numbers_as_text({"loss": 0.25, "active_share": float("nan")})
    'loss 0.250'
    """
    parts = []
    for key, text in _SHOWN:
        value = numbers.get(key, math.nan)
        if math.isnan(value):
            continue
        if key == "active_share" and 0 < value < 1:  # neither none nor all, so it is not said to be
            value = min(max(value, 0.001), 0.999)
        shown = text.format(value).replace("%", " %")
        parts.append(shown.replace("-0.000", "0.000") if shown.endswith("-0.000") else shown)
    return " · ".join(parts)


class TrainingBar:
    """First the pictures that are read, then the steps, with the numbers that tell how it goes.

    Args:
        quicker: what to say, once, when a training will take long.
    """

    def __init__(self, quicker: str = "") -> None:
        self._quicker = quicker

    def __enter__(self) -> TrainingBar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
        )
        self._lines = not console.is_terminal
        self._bar = Progress(*columns, console=console, disable=self._lines)
        self._bar.start()
        self._task: Any = None
        self._what = self._numbers = self._validated = ""
        self._said = -math.inf
        self._begun: tuple[float, int] | None = None
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def reading(self, done: int, total: int) -> None:
        """Pictures read."""
        self._move("reading", done, total, "")

    def training(self, step: int, steps: int, numbers: Mapping[str, float]) -> None:
        """A report of the trainer."""
        from sameface.metrics.percent import percent

        eer = numbers.get("validation_eer", math.nan)
        if not math.isnan(eer):
            self._validated = f"unseen people: EER {percent(eer, digits=1)} %"
        self._numbers = numbers_as_text(numbers) or self._numbers
        self._move("training", step, steps, " · ".join(filter(None, (self._numbers, self._validated))))

    def _move(self, what: str, done: int, total: int, numbers: str) -> None:
        now = time.monotonic()
        if what == "training" and self._begun is None:  # a resumed training does not begin at step 0
            self._begun = now, done
        seconds = self._seconds_left(now, done, total)
        if seconds > LONG and self._quicker:
            self._bar.console.print(self._quicker, highlight=False, soft_wrap=True)
            self._quicker = ""
        if self._lines:
            self._line(what, done, total, numbers, now, seconds)
            return
        if what != self._what:
            self._task = self._bar.add_task(what, total=total, numbers="")
            self._what = what
        self._bar.update(self._task, completed=done, total=total, numbers=numbers)

    def _line(self, what: str, done: int, total: int, numbers: str, now: float, seconds: float) -> None:
        """A line when something begins, when it ends, and now and then between."""
        from sameface.cli.output import note
        from sameface.progress import time_left

        if what == self._what and done != total and now < self._said + BETWEEN_LINES:
            return
        self._what, self._said = what, now
        note(" · ".join(filter(None, (f"{what} {done} of {total}", numbers, time_left(seconds) if seconds else ""))))

    def _seconds_left(self, now: float, done: int, total: int) -> float:
        """By the steps since the first report; 0 before the second one, and at the end."""
        if self._begun is None or done >= total or done <= self._begun[1]:
            return 0.0
        return (total - done) * (now - self._begun[0]) / (done - self._begun[1])

"""Where the numbers of a training go."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sameface.errors import ExtraMissingError
from sameface.training.loop.settings import FIRST_TOLD


class Log(Protocol):
    """Takes a row of numbers per report."""

    def write(self, step: int, numbers: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class CsvLog:
    """One CSV file; a resumed training goes on in it, without the rows that will be made again.

    Args:
        path: the file.
        columns: names of the numbers, in order; a row may leave some out.
        from_step: rows of later steps are dropped first.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], *, from_step: int = 0) -> None:
        kept: list[dict[str, str]] = []
        if from_step and path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                kept = [row for row in csv.DictReader(file) if int(row["step"]) <= from_step]
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, ["step", *columns], extrasaction="ignore", restval="")
        self._writer.writeheader()
        self._writer.writerows(kept)

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        self._writer.writerow({"step": step, **{name: f"{value:.6g}" for name, value in numbers.items()}})
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class TensorBoardLog:
    """Event files for TensorBoard.

    Args:
        folder: for the event files.
        from_step: what later steps left there is hidden, since a resumed training makes them again.

    Raises:
        ExtraMissingError: tensorboard is not installed.
    """

    def __init__(self, folder: Path, *, from_step: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ExtraMissingError(
                expected="the package tensorboard for these logs",
                got="an installation without it",
                advice="run `pip install tensorboard`, or leave the option out: the CSV holds the same numbers",
            ) from error
        self._writer: Any = SummaryWriter(str(folder), purge_step=from_step + 1)

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def tell(
    logs: Sequence[Log],
    progress: Callable[[int, Mapping[str, float]], None] | None,
    step: int,
    report: Mapping[str, float],
    numbers: Mapping[str, float],
) -> None:
    """A step that is done: its report, where one is due, to all logs; to the progress also the numbers of the first steps."""
    for log in logs if report else ():
        log.write(step, report)
    if progress is not None and (report or step in FIRST_TOLD):
        progress(step, report or numbers)

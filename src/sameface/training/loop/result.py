"""How a training ended, and the numbers that it tells on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sameface.training.loop.validation import Validation

#: ``finished`` · ``early`` patience was used up · ``asked`` a callback asked for the end · ``interrupted`` by Ctrl-C or SIGTERM.
Stopped = Literal["finished", "early", "asked", "interrupted"]

#: Numbers of a progress report, in the order of the CSV.
COLUMNS: Final = (
    "loss",
    "active_share",
    "spread",
    "effective_rank",
    "learning_rate",
    "photos_per_second",
    "validation_eer",
    "validation_one_shot_error",
    "validation_spread",
    "validation_missed",
    "validation_missed_undamaged",
    "validation_judged",
    "cpu_seconds",
    "wall_seconds",
)


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        steps: done in all, resumed ones included.
        stopped: see `Stopped`.
        best_step: step of the exported weights.
        validation: numbers of those weights on held-out people, None without any; after an interruption the last ones
            there were.
        cpu_seconds, wall_seconds: of this run, validation included.
        photos: encoded in this run.
        compute: the device and precision, in words.
        warnings: what the user should know.
        signal: number of the signal that interrupted it, 0 for none.
        before: numbers before the first step, of a network that starts as a pretrained encoder; None else, and when it was gone on with.
    """

    steps: int
    stopped: Stopped
    best_step: int
    validation: Validation | None
    cpu_seconds: float
    wall_seconds: float
    photos: int
    compute: str
    warnings: tuple[str, ...] = ()
    signal: int = 0
    before: Validation | None = None

    def unless_interrupted(self) -> TrainingResult:
        """Itself, for those who go on to something else with what was learned.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM ended the training.
        """
        if self.stopped == "interrupted":
            raise KeyboardInterrupt
        return self

"""What a training is told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from sameface.errors import SettingError

#: Steps after which progress is told though no report is due, so that the time left is known soon.
FIRST_TOLD: Final = (1, 3)


@dataclass(frozen=True)
class TrainingSettings:
    """Everything but the network, the loss and the pictures.

    Attributes:
        steps: batches in all.
        people, photos: P and K of a batch.
        learning_rate: at its highest; rises over `warmup` steps, then falls by half a cosine to 0 at the last step.
        warmup: steps of the rise.
        weight_decay: AdamW's.
        averaging: decay per step of the running average of the weights, which is what is validated and exported (the
            last iterates of a noisy descent average out); 0 exports the weights themselves.
        validate_every: steps between validations; 0 validates never.
        patience: validations without a better EER before stopping early; 0 never stops early. With patience the best
            weights are kept, without it the last.
        save_every: steps between checkpoints; 0 saves at the end only.
        report_every: steps between progress reports.
        seed: one number for batches, augmentation, dropout and held-out people; it and the step decide every draw.
        one_group: share of batches drawn from one group (an alphabet) first.
        accumulate: batches whose gradients are averaged before each step: as good as a larger batch for losses that score each
            photo by itself (ArcFace and its kin); pairs and triplets still reach across one batch only.
        stop_on_collapse: whether a collapsed training is ended with an error, or only reported.
    """

    steps: int = 1000
    people: int = 32
    photos: int = 4
    learning_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 5e-4
    averaging: float = 0.995
    validate_every: int = 200
    patience: int = 0
    save_every: int = 200
    report_every: int = 20
    seed: int = 0
    one_group: float = 0.0
    accumulate: int = 1
    stop_on_collapse: bool = True

    def __post_init__(self) -> None:
        must = {
            "at least one step": self.steps >= 1,
            "at least 2 people a batch": self.people >= 2,
            "at least 2 photos of each": self.photos >= 2,
            "a learning rate above 0": 0 < self.learning_rate < math.inf,
            "a warm-up of 0 steps or more": self.warmup >= 0,
            "a weight decay of 0 or more": 0 <= self.weight_decay < math.inf,
            "averaging from 0 to under 1": 0 <= self.averaging < 1,
            "0 or more steps between validations": self.validate_every >= 0,
            "a patience of 0 or more": self.patience >= 0,
            "0 or more steps between checkpoints": self.save_every >= 0,
            "at least one step between reports": self.report_every >= 1,
            "a seed of 0 or more": self.seed >= 0,
            "at least one batch a step": self.accumulate >= 1,
            "a share of one-group batches from 0 to 1": 0 <= self.one_group <= 1,
        }
        if missed := [what for what, kept in must.items() if not kept]:
            raise SettingError(expected=", ".join(missed), got=str(self), advice="start from the defaults")

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of one step.

        >>> settings = TrainingSettings(steps=10, warmup=2, learning_rate=1.0)
        >>> [round(settings.learning_rate_at(step), 3) for step in (0, 1, 5)]
        [0.5, 0.976, 0.5]
        """
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * step / self.steps))

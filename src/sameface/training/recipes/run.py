"""What every recipe is told, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RecipeRun:
    """One run of a recipe.

    Attributes:
        data: the folder of its data set.
        out: for the encoder and the log.
        started: told what is done, in sentences.
        progress: told (step, steps, numbers).
        background: Omniglot's background set.
        steps: instead of the recipe's own.
        seed, device: as elsewhere.
        resume: go on from the checkpoint in `out`; omniglot's alone keeps one, the others take a minute.
        overwrite: replace a training that lies in `out`.
    """

    data: Path
    out: Path
    started: Callable[[str], None]
    progress: Callable[[int, int, Mapping[str, float]], None]
    background: str = "small1"
    steps: int | None = None
    seed: int = 0
    device: str | None = None
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class RecipeResult:
    """What a recipe found: numbers for programs, lines for people."""

    numbers: dict[str, Any]
    lines: tuple[str, ...]

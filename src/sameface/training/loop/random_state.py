"""Where a training's random draws come from: the seed and the step, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def seeded(seed: int, build: Callable[[], Any]) -> Any:
    """Build something random (a network's first weights) from a seed, leaving PyTorch's own random state as it was."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return build()


def step_generator(seed: int, step: int, process: int = 0) -> torch.Generator:
    """The draws of one step's augmentation, in one process."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step * 1_009 + process)

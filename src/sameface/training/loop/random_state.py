"""Where a training's random draws come from: the seed and the step, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def same_sums(device: torch.device) -> Iterator[None]:
    """While this lasts, a GPU adds in the same order each time: otherwise a training that is resumed, or run again, ends with other weights.

    Where PyTorch knows no such way it warns, once.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # NVIDIA's library reads it when it is first used
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])

"""What every runner shares: it answers the driver's questions, one JSON line each, so that all peers can be timed in turns.

A runner is started once by its own interpreter. It says what it can do, then waits. Only the standard library and NumPy.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Work = Callable[[], object]


def chips(count: int, side: int) -> np.ndarray[Any, Any]:
    """Noise in the shape of face crops: speed does not depend on what they show."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


def timed(work: Work, seconds: float) -> list[float]:
    """Seconds of each call, at least two calls, until the time is up."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 2:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def serve(tasks: dict[str, Work]) -> None:
    """Say the tasks' names, then for each line ``{"task": …, "seconds": …}`` the times of its calls."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the library prints goes to stderr, not between the answers
    for work in tasks.values():
        work()  # builds what is built on first use
    print(json.dumps(list(tasks)), file=answers, flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        print(json.dumps(timed(tasks[ask["task"]], ask["seconds"])), file=answers, flush=True)

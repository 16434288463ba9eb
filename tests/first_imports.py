"""What takes long to import, each worker of a run from another end: what one has compiled in a new environment, the others read.

Otherwise all workers import the same at the same time, and each compiles all of it. On two cores that took 12 of a run's processor seconds.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import TypeVar

import pytest

#: In groups that take about as long as each other. All of it is imported by collecting the tests anyway.
SLOW = (("torch",), ("scipy.stats", "sklearn.svm"), ("pandas", "matplotlib.pyplot"))
T = TypeVar("T")


class FirstImports:
    def pytest_configure(self, config: pytest.Config) -> None:
        if not hasattr(config, "workerinput"):
            return
        worker = int(config.workerinput["workerid"].removeprefix("gw"))
        for group in turned(SLOW, worker):
            for name in group:
                if importlib.util.find_spec(name.partition(".")[0]):
                    importlib.import_module(name)
        config.args[:] = turned(config.args, worker)  # the order of tests is that of `LongestFirst` afterwards


def turned(sequence: Sequence[T], by: int) -> list[T]:
    """The sequence from another beginning.

    >>> turned("abc", 1), turned("abc", 5), turned("", 1)
    (['b', 'c', 'a'], ['c', 'a', 'b'], [])
    """
    start = by % len(sequence) if sequence else 0
    return [*sequence[start:], *sequence[:start]]

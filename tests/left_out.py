"""Tests that cannot run here say what they lack; a run ends with one line on them. Where SAMEFACE_REQUIRE_DATA is set they are failures."""

from __future__ import annotations

import os
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

_LACKS = "without "
#: Rooms and files that import PyTorch.
_OF_TRAINING = ("training", "train_result.py")
#: What no ordinary machine has: said where it is left out, and never a failure.
_RARE = "no NVIDIA GPU"
#: What `pytest.importorskip` says of a module that is not there.
_IMPORT = re.compile(r"^could not import '([\w.]+)'.*", re.DOTALL)


def nothing_may_be() -> bool:
    """Whether a test that is left out is a failure."""
    return bool(os.environ.get("SAMEFACE_REQUIRE_DATA"))


def lacking(what: str, how: str) -> NoReturn:
    """Leave the test out, since `what` is not here; `how` says how to have it. Where nothing may be left out the test fails."""
    (pytest.fail if nothing_may_be() else pytest.skip)(f"{_LACKS}{what}: {how}")


def in_one_line(reasons: Counter[str]) -> str:
    """What was left out, the most first, each with how to have it.

    >>> in_one_line(Counter({"without Node: install it": 1, "without the data: set SAMEFACE_DATA": 12}))
    'Left out: 12 without the data (set SAMEFACE_DATA); 1 without Node (install it)'
    >>> in_one_line(Counter({"no right to mount a disk": 2}))
    'Left out: 2, no right to mount a disk'
    >>> in_one_line(Counter({"could not import 'torch': No module named 'torch'": 9}))
    'Left out: 9 without torch (make test installs it)'
    >>> in_one_line(Counter())
    'Nothing was left out'
    """
    parts = []
    for found, count in reasons.most_common():
        reason = _IMPORT.sub(rf"{_LACKS}\1: make test installs it", found)
        what, colon, how = reason.partition(": ")
        known = reason.startswith(_LACKS) and colon
        parts.append(f"{count} {what} ({how})" if known else f"{count}, {reason}")
    return f"Left out: {'; '.join(parts)}" if parts else "Nothing was left out"


class LeftOut:
    """Counts what is skipped, one by one or a file at once, and says it at the end."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(report, "wasxfail"):
            self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._count(report)

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            self.reasons[" ".join(report.longrepr[2].removeprefix("Skipped: ").split())] += 1

    def _fails(self) -> bool:
        return nothing_may_be() and any(not reason.startswith(_RARE) for reason in self.reasons)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """A room that cannot even be imported here: its tests, and the examples in its docstrings."""
        if collection_path.name not in _OF_TRAINING or find_spec("torch"):
            return None
        self.reasons["without torch: pip install 'sameface[train]'"] += 1
        return True

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._fails() and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The last line of all, after pytest's own."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not hasattr(config, "workerinput"):
            failed = self._fails()
            reporter.write_line(
                in_one_line(self.reasons) + (", which fails the run" if failed else ""), red=failed, bold=failed
            )

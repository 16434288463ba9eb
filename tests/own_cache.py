"""One run's own cache: no test leaves a file in the user's, and no network is converted again for each test."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

_NAME = "SAMEFACE_CACHE"


class OwnCache:
    """A temporary folder for what sameface makes once, shared by all workers of a run and the programs they start.

    A run that finds the variable set keeps that folder: whoever runs single tests all day converts the networks once.
    """

    def __init__(self) -> None:
        self.folder: str | None = None
        if not os.environ.get(_NAME):  # a worker has it from the run that started it
            self.folder = os.environ[_NAME] = tempfile.mkdtemp(prefix="sameface-tests-")

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        if self.folder is not None:
            del os.environ[_NAME]
            shutil.rmtree(self.folder, ignore_errors=True)

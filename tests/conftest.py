"""What several rooms' tests share: where the photos and the research data lie."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

#: Skips that are right even where everything is there: reasons that begin so.
RIGHT_TO_SKIP = ("root ",)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of shipped photos."""
    return ROOT / "examples" / "photos"


def needed(path: Path, what: str) -> Path:
    """The path, or a visible skip; where SAMEFACE_REQUIRE_DATA is set (in CI) a failure instead."""
    if not path.exists():
        message = f"{what} is not at {path}; set SAMEFACE_DATA"
        if os.environ.get("SAMEFACE_REQUIRE_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of research data: ``$SAMEFACE_DATA``, else ``../shared/data``."""
    return needed(Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data")), "the research data")


@pytest.fixture
def make_photo() -> Callable[..., Path]:
    """Writes a small picture of its own pattern."""

    def make(path: Path, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(path)
        return path

    return make


@pytest.fixture
def people_folder(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """Twelve people with four photos each, named as LFW names them."""
    for person in range(1, 13):
        for photo in range(1, 5):
            name = f"P_{person}"
            make_photo(tmp_path / "faces" / name / f"{name}_{photo:04d}.png", person * 10 + photo)
    return tmp_path / "faces"


def pytest_configure() -> None:
    """Ctrl-C is tested here and in programs started from here; a shell that runs its jobs in the background hands down that it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped, for `pytest_sessionfinish`."""
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(RIGHT_TO_SKIP):
            _skipped.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI, where SAMEFACE_REQUIRE_DATA is set, a skipped test is a failure."""
    if os.environ.get("SAMEFACE_REQUIRE_DATA") and _skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why the run failed when skips are the reason."""
    if os.environ.get("SAMEFACE_REQUIRE_DATA") and _skipped:
        terminalreporter.section("skipped where nothing may be skipped", red=True)
        for line in _skipped:
            terminalreporter.write_line(line)

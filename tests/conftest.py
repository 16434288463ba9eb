"""What several rooms' tests share: where the photos and the research data lie."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from tests.first_imports import FirstImports
from tests.left_out import LeftOut, lacking
from tests.longest_first import LongestFirst, workers
from tests.own_cache import OwnCache

ROOT = Path(__file__).resolve().parent.parent
# No test is timed: a machine at work is slow, not wrong. The first example also pays for what is imported then.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of shipped photos."""
    return ROOT / "examples" / "photos"


def needed(path: Path, what: str) -> Path:
    """The path, or the test is left out."""
    if not path.exists():
        lacking(what, "set SAMEFACE_DATA to the folder of research data")
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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collecting imports everything and makes thousands of objects that stay: they are not looked through again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``--numprocesses auto`` means here."""
    return workers()


def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C is tested here and in programs started from here; a shell that runs its jobs in the background hands down that it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(LeftOut(), "left-out")
    config.pluginmanager.register(OwnCache(), "own-cache")
    config.pluginmanager.register(FirstImports(), "first-imports")
    if config.pluginmanager.has_plugin("xdist"):
        config.pluginmanager.register(LongestFirst(), "longest-first")
    if getattr(config.option, "numprocesses", None):
        # A thread each: where two workers' threads share two cores, every small product of matrices waits for its other half.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")

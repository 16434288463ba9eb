"""What several rooms' tests share: where the photos and the research data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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

"""The picture of the house is the house."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_picture_is_drawn_from_the_source_as_it_is() -> None:
    drawn = subprocess.run([sys.executable, "docs/_house.py", "--check"], cwd=ROOT, check=False)
    assert drawn.returncode == 0, "run `python docs/_house.py` and look at docs/img/house.svg"

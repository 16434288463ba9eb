"""Small data sets on disk: pictures without faces, since these tests are about lists and numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


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

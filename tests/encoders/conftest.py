from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.types import CropsRGB

#: Hand-picked squares around the face of each shipped photo: (left, upper, right, lower).
FACES = {
    "astronaut.png": (130, 20, 310, 200),
    "obama.jpg": (300, 50, 700, 450),
    "obama2.jpg": (150, 50, 650, 550),
    "biden.jpg": (300, 50, 800, 550),
    "grace_hopper.jpg": (130, 50, 380, 300),
}


@pytest.fixture(scope="session")
def crops(photos: Path) -> CropsRGB:
    """Five roughly cropped faces, ``(5, 150, 150, 3)``."""
    pictures = []
    for name, box in FACES.items():
        with Image.open(photos / name) as picture:
            pictures.append(np.asarray(picture.convert("RGB").crop(box).resize((150, 150))))
    return np.stack(pictures)


@pytest.fixture(scope="package", autouse=True)  # a session's would stay for the rooms that come after
def research_models(request: pytest.FixtureRequest) -> Iterator[None]:
    """Networks that are not by package: taken from the research data where they are there."""
    folder = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "models"
    if folder.is_dir() and "SAMEFACE_MODELS" not in os.environ:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SAMEFACE_MODELS", str(folder))
            yield
    else:
        yield

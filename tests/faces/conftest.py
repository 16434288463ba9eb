from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.types import ImageRGB


@pytest.fixture(scope="package", autouse=True)  # a session's would stay for the rooms that come after
def research_models() -> Iterator[None]:
    """Detectors that are not by package: taken from the research data where they are there."""
    folder = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "models"
    with pytest.MonkeyPatch.context() as patch:
        if folder.is_dir() and "SAMEFACE_MODELS" not in os.environ:
            patch.setenv("SAMEFACE_MODELS", str(folder))
        yield


@pytest.fixture(scope="session")
def lfw_photos(data: Path) -> list[ImageRGB]:
    """Sixty photos of 250 × 250 with a face in the middle, always the same ones."""
    paths = sorted((data / "lfw" / "images").glob("*/*_0001.jpg"))
    random.Random(2).shuffle(paths)
    return [read(path) for path in paths[:60]]


def read(path: Path) -> ImageRGB:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


PORTRAITS = ("astronaut.png", "obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "grace_hopper.jpg")


@pytest.fixture(scope="session")
def portraits(photos: Path) -> dict[str, ImageRGB]:
    """The shipped photos, by file name."""
    return {name: read(photos / name) for name in PORTRAITS}

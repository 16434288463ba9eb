"""Small data sets on disk: pictures without faces, since these tests are about lists and numbers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from sameface.errors import NoThresholdError
from sameface.faces import FaceFinder
from sameface.types import Box, Detection, EmbeddingSpace, OperatingPoint


class FakeRecognizer:
    """Every picture is a face, except black ones; the embedding is its mean colour and what little else is asked for.

    People's photos have one colour with a little noise, so distances behave like those of an encoder, and every number can be checked.
    """

    def __init__(self, encoder: str = "fake") -> None:
        self.space = EmbeddingSpace(encoder, "whole", "none")
        self.card = SimpleNamespace(id=encoder, dimension=3, title="mean colour", commercial_use="yes")
        self.id, self.sure, self.search_side = "whole", 0.0, None
        self.finder = FaceFinder(self, self)
        self.encoder = self
        self.calls = {"detect": 0, "encode": 0}
        self.point: OperatingPoint | None = None

    @property
    def operating_point(self) -> OperatingPoint:
        if self.point is None:
            raise NoThresholdError(expected="a threshold", got="none", advice="calibrate")
        return self.point

    def detect(self, image_rgb: np.ndarray) -> list[Detection]:
        self.calls["detect"] += 1
        if image_rgb.max() == 0:
            return []
        height, width = image_rgb.shape[:2]
        return [Detection(Box(0, 0, width, height), 1.0)]

    def align(self, image_rgb: np.ndarray, detections: list[Detection]) -> np.ndarray:
        return np.stack([image_rgb for _ in detections])

    def smallest_in(self, width: int, height: int) -> float:
        return 0.0

    def reach(self, detection: Detection) -> None:
        return None

    def encode(self, crops: np.ndarray) -> np.ndarray:
        self.calls["encode"] += len(crops)
        return (crops.mean(axis=(1, 2)) / 255).astype(np.float32)


@pytest.fixture
def fake() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def colour_people(tmp_path: Path) -> Path:
    """Twenty-four people with five photos each, in colours of their own; the last photo of the first person shows no face."""
    generator = np.random.default_rng(7)
    for person in range(24):
        colour = generator.integers(40, 215, 3)
        for photo in range(5):
            pixels = np.clip(generator.normal(colour + generator.normal(0, 6, 3), 3, (40, 40, 3)), 1, 255).astype(
                np.uint8
            )
            if (person, photo) == (0, 4):
                pixels[:] = 0
            path = tmp_path / "colours" / f"p{person:02d}" / f"{photo}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path / "colours"

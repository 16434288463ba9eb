from __future__ import annotations

import numpy as np
import pytest

from sameface.encoders import Encoded
from sameface.errors import NotEnoughDataError
from sameface.evaluation.quantised import before_and_after, drift
from sameface.evaluation.scores import Scores
from sameface.models.card import ModelCard
from sameface.types import CropsRGB, Embeddings


class Shift:
    """The first pixel's numbers, moved by a constant."""

    def __init__(self, by: float) -> None:
        self.by = by
        self.card = ModelCard("shift", "encoder", "Shift", "MIT", "yes", dimension=3, input_size_wh=(1, 1))

    def encode(self, crops_rgb: CropsRGB) -> Embeddings:
        return self.encode_measured(crops_rgb).embeddings

    def encode_measured(self, crops_rgb: CropsRGB) -> Encoded:
        embeddings = crops_rgb[:, 0, 0].astype(np.float32) + np.float32([self.by, 0, 0])
        return Encoded(embeddings, np.linalg.norm(embeddings, axis=1))


def test_drift_is_the_distance_between_the_two_embeddings() -> None:
    crops = np.random.default_rng(0).integers(0, 255, (7, 2, 2, 3)).astype(np.uint8)
    moved = drift(Shift(0.0), Shift(0.25), crops)
    assert (moved.crops, moved.mean, moved.p95, moved.largest) == (7, 0.25, 0.25, 0.25)
    with pytest.raises(NotEnoughDataError):
        drift(Shift(0), Shift(1), crops[:0])


def scores(distances: list[float]) -> Scores:
    """Mated pairs first, then as many non-mated; nobody is in two pairs."""
    n = len(distances)
    half = n // 2
    people = np.arange(2 * n, dtype=np.int32).reshape(2, n)
    people[1, :half] = people[0, :half]
    return Scores(
        np.array(distances, np.float32),
        np.arange(n) < half,
        np.arange(n, dtype=np.int32),
        np.arange(n, 2 * n, dtype=np.int32),
        people[0],
        people[1],
    )


def test_pairs_that_only_one_decides_rightly_are_counted() -> None:
    clean = [0.1] * 20 + [0.9] * 20
    worse = [0.1] * 18 + [0.95, float("inf")] + [0.9] * 20
    same = before_and_after(scores(clean), scores(clean), folds=4)
    assert (same.before, same.after, same.paired.both, same.paired.p_value) == (1.0, 1.0, 40, 1.0)
    found = before_and_after(scores(clean), scores(worse), folds=4)
    assert found.paired.only_first == 2
    assert found.paired.only_second == 0
    assert found.after == pytest.approx(0.95)

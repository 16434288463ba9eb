"""Made-up people, and the plain loop that every search is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sameface.matching import distance
from sameface.types import Embeddings, EmbeddingSpace, Template

SPACE = EmbeddingSpace("test-encoder", "test-detector", "test-alignment")
OTHER = EmbeddingSpace("other-encoder", "test-detector", "test-alignment")
DIMENSION = 8


def vectors(count: int, dimension: int = DIMENSION, seed: int = 0) -> Embeddings:
    """Random directions of about unit length, ``(count, dimension)`` float32."""
    made = np.random.default_rng(seed).standard_normal((count, dimension))
    return (made / np.sqrt(dimension)).astype(np.float32)


def face(name: str) -> Embeddings:
    """The face of a name, the same in every process."""
    return vectors(1, seed=int.from_bytes(name.encode(), "big") % 2**32)[0]


def template(vector: Embeddings, **rest: object) -> Template:
    return Template(np.asarray(vector, np.float32), **rest)  # type: ignore[arg-type]


def slow_search(probe: Embeddings, database: Mapping[str, Sequence[Embeddings]], k: int = 1) -> list[tuple[str, float]]:
    """The textbook's loop over ``database.items()``: each person's nearest photo, nearest person first, the earlier enrolled of equals first."""
    best: list[tuple[str, float]] = []
    for name, references in database.items():
        smallest = float("inf")
        for reference in references:
            smallest = min(smallest, distance(probe, reference))
        if references:
            best.append((name, smallest))
    best.sort(key=lambda item: item[1])  # stable: equal distances stay in the order of enrolment
    return best[:k]

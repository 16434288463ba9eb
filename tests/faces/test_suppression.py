"""Greedy suppression against the textbook's loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sameface.faces import suppression
from sameface.faces.suppression import suppress


def slow(boxes: np.ndarray, scores: np.ndarray, overlap: float, of_smaller: bool) -> list[int]:
    waiting = sorted(range(len(boxes)), key=lambda i: -scores[i])
    kept = []
    while waiting:
        best = waiting.pop(0)
        kept.append(best)
        rest = []
        for other in waiting:
            (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = boxes[best].tolist(), boxes[other].tolist()
            shared = max(0, min(ax2, bx2) - max(ax1, bx1)) * max(0, min(ay2, by2) - max(ay1, by1))
            a, b = (ax2 - ax1) * (ay2 - ay1), (bx2 - bx1) * (by2 - by1)
            if shared <= overlap * (min(a, b) if of_smaller else a + b - shared):
                rest.append(other)
        waiting = rest
    return kept


@pytest.mark.parametrize("at_once", [3, 512])  # shares that floats hold exactly: no knife edges
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([0.25, 0.5, 0.75]), st.booleans())
def test_like_the_loop(at_once: int, seed: int, count: int, overlap: float, of_smaller: bool) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 30, (count, 2))
    boxes = np.concatenate([corners, corners + rng.integers(1, 25, (count, 2))], axis=1).astype(np.float32)
    scores = rng.integers(0, 5, count).astype(np.float32)  # many are equal
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suppression, "_AT_ONCE", at_once)
        assert suppress(boxes, scores, overlap, of_smaller=of_smaller).tolist() == slow(
            boxes, scores, overlap, of_smaller
        )

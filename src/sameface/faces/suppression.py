"""Non-maximum suppression: of boxes that cover the same face, the best one stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Boxes compared all with all at once; more are worked off in turns.
_AT_ONCE = 512


def suppress(
    boxes_xyxy: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    overlap: float,
    *,
    of_smaller: bool = False,
) -> npt.NDArray[np.intp]:
    """Greedy suppression, best score first.

    Args:
        boxes_xyxy: ``(n, 4)`` pixels.
        scores: ``(n,)``; equal scores keep their order.
        overlap: a box goes when it overlaps a better one, that stays, by more than this.
        of_smaller: measure the intersection against the smaller box instead of the union.

    Returns:
        Indices of the boxes that stay, best first.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], dtype=np.float32)
    >>> suppress(boxes, np.array([0.8, 0.9, 0.7], dtype=np.float32), 0.5).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    kept = np.empty(0, dtype=np.intp)
    for start in range(0, order.size, _AT_ONCE):
        batch = order[start : start + _AT_ONCE]
        if kept.size:
            batch = batch[~covers(boxes_xyxy[kept], boxes_xyxy[batch], overlap, of_smaller=of_smaller).any(axis=0)]
        over = covers(boxes_xyxy[batch], boxes_xyxy[batch], overlap, of_smaller=of_smaller)
        alive = np.ones(batch.size, dtype=bool)
        for place in range(batch.size):
            if alive[place]:
                alive[place + 1 :] &= ~over[place, place + 1 :]
        kept = np.concatenate([kept, batch[alive]])
    return kept


def covers(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32], overlap: float, *, of_smaller: bool = False
) -> npt.NDArray[np.bool_]:
    """Which boxes overlap which: ``(n, 4)`` and ``(m, 4)`` to ``(n, m)``; `overlap` and `of_smaller` as for `suppress`."""
    a, b = first[:, None], second[None, :]
    wide = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    high = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    against = np.minimum(area_a, area_b) if of_smaller else area_a + area_b - shared
    return np.asarray(shared > overlap * against)

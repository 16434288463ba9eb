"""Non-maximum suppression: of boxes that cover the same face, the best one stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
        overlap: a box goes when it overlaps a better one by more than this.
        of_smaller: measure the intersection against the smaller box instead of the union.

    Returns:
        Indices of the boxes that stay, best first.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], dtype=np.float32)
    >>> suppress(boxes, np.array([0.8, 0.9, 0.7], dtype=np.float32), 0.5).tolist()
    [1, 2]
    """
    areas = np.prod(np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0), axis=1)
    order = np.argsort(-scores, kind="stable")
    kept: list[np.intp] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        top_left = np.maximum(boxes_xyxy[best, :2], boxes_xyxy[rest, :2])
        bottom_right = np.minimum(boxes_xyxy[best, 2:], boxes_xyxy[rest, 2:])
        shared = np.prod(np.maximum(bottom_right - top_left, 0), axis=1)
        against = np.minimum(areas[best], areas[rest]) if of_smaller else areas[best] + areas[rest] - shared
        order = rest[shared <= overlap * against]
    return np.array(kept, dtype=np.intp)

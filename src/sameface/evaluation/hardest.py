"""The pairs that were hardest: mated pairs far apart, non-mated pairs close together. Often they are wrong labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sameface.datasets.photo import Photo, photo_as_text
from sameface.evaluation.results import HardPair
from sameface.evaluation.scores import Scores


def hardest_pairs(scores: Scores, photos: Sequence[Photo], count: int = 8) -> tuple[HardPair, ...]:
    """The farthest mated and the nearest non-mated pairs, so many of each, hardest first.

    Args:
        scores: the pairs; those with a face that was not found are left out.
        photos: paths by index.
        count: of each kind.
    """
    rows: list[HardPair] = []
    for same, sign in ((True, -1.0), (False, 1.0)):
        all_of = np.flatnonzero((scores.same == same) & np.isfinite(scores.distances))
        hardness = sign * scores.distances[all_of]
        take = min(count, len(all_of))
        if not take:
            continue
        near = np.argpartition(hardness, take - 1)[:take]
        chosen = all_of[near[np.argsort(hardness[near], kind="stable")]]
        rows += [
            HardPair(
                photo_as_text(photos[scores.a[i]]), photo_as_text(photos[scores.b[i]]), same, float(scores.distances[i])
            )
            for i in chosen
        ]
    return tuple(rows)

"""Balanced pairs out of labelled photos, as LFW draws them: for what needs a list of pairs, not all of them."""

from __future__ import annotations

import numpy as np

from sameface.evaluation.scores import Scores


def balanced_pairs(scores: Scores, per_kind: int = 3000, *, folds: int = 10, seed: int = 0) -> Scores:
    """As many mated as non-mated pairs, each within one of the folds of people.

    Args:
        scores: all pairs of labelled photos.
        per_kind: pairs of each kind at most.
        folds: groups of people; a pair of people of two groups is not taken.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    count = int(max(scores.person_a.max(), scores.person_b.max())) + 1
    fold_of = generator.permutation(count) % folds
    inside = fold_of[scores.person_a] == fold_of[scores.person_b]
    kinds = [np.flatnonzero(inside & (scores.same == kind)) for kind in (True, False)]
    take = min(per_kind, *(len(kind) for kind in kinds))
    rows = np.sort(np.concatenate([generator.choice(kind, take, replace=False) for kind in kinds]))
    return Scores(
        scores.distances[rows],
        scores.same[rows],
        scores.a[rows],
        scores.b[rows],
        scores.person_a[rows],
        scores.person_b[rows],
        folds=fold_of[scores.person_a[rows]],
    )

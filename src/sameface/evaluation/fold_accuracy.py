"""Accuracy over folds that share no person, as LFW and its like are published."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.results import Fold, KFoldAccuracy
from sameface.evaluation.scores import Scores
from sameface.metrics import accuracy_by_fold, accuracy_threshold, mean_and_standard_error, person_disjoint_folds

#: Folds where neither the protocol nor the user says how many: the most that the people suffice for.
FOLDS: Final = (10, 5, 3, 2)


def k_fold(scores: Scores, folds: int | None = None, *, seed: int = 0) -> KFoldAccuracy:
    """Accuracy over folds that share no person, as LFW is published.

    The protocol's own folds where it has them. Else people are dealt out; of all pairs of labelled photos only those within a fold are used, and both
    kinds weigh the same, since non-mated pairs outnumber mated ones.

    Args:
        scores: the pairs.
        folds: how many, where the protocol has none; None takes the first of `FOLDS` that the people suffice for.
        seed: of the dealing.

    Raises:
        NotEnoughDataError: too few people for so many folds, or for two.
    """
    if folds is None:
        for fewer in FOLDS[:-1]:
            try:
                return k_fold(scores, fewer, seed=seed)
            except NotEnoughDataError:
                continue
        folds = FOLDS[-1]
    people = (scores.person_a, scores.person_b)
    if scores.photos_of is not None:
        use, fold = _within_folds(scores, folds, seed)
        distances, same = scores.distances[use], scores.same[use]
        results = accuracy_by_fold(distances, same, fold, balanced=True)
        best, _ = accuracy_threshold(distances[same], distances[~same], balanced=True)
        how = f"all pairs within each of {folds} groups of people; mated and non-mated pairs weigh the same"
        balanced = True
    else:
        own = scores.folds is not None
        fold = list_folds(scores, folds, seed)
        results = accuracy_by_fold(scores.distances, scores.same, fold, people=people)
        best, _ = accuracy_threshold(scores.mated, scores.distances[~scores.same])
        purged = sum(len(scores.distances) - r.pairs - r.chosen_on for r in results) / len(results)
        how = (
            f"{'the protocol’s' if own else 'pairs dealt out by people into'} {len(results)} folds; the threshold of each comes from the "
            "others" + (f", without the {purged:.0f} pairs on average that share a person with it" if purged else "")
        )
        balanced = False
    mean, error = mean_and_standard_error([r.accuracy for r in results])
    return KFoldAccuracy(
        mean,
        error,
        best,
        tuple(Fold(r.accuracy, r.threshold, r.pairs, r.chosen_on) for r in results),
        balanced,
        how,
    )


def list_folds(scores: Scores, folds: int, seed: int = 0) -> npt.NDArray[np.intp]:
    """The fold of each pair of a list: the protocol's own, else dealt out by people."""
    if scores.folds is not None:
        return scores.folds
    return person_disjoint_folds(scores.person_a, scores.person_b, folds, seed=seed)


def decided_rightly(scores: Scores, accuracy: KFoldAccuracy, seed: int = 0) -> npt.NDArray[np.bool_]:
    """``(n,)`` which pairs of a list are decided rightly, each under the threshold that the other folds gave; never one without a face.

    Args:
        scores: of a list of pairs.
        accuracy: what `k_fold` gave for them with the same seed.
        seed: of the dealing.
    """
    fold = list_folds(scores, len(accuracy.folds), seed)
    threshold = np.array([item.threshold for item in accuracy.folds])[np.unique(fold, return_inverse=True)[1]]
    under = scores.distances < threshold
    return np.where(scores.same, under, ~under & np.isfinite(scores.distances))


def _within_folds(scores: Scores, folds: int, seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """All pairs whose two people were dealt to the same fold."""
    count = int(max(scores.person_a.max(), scores.person_b.max())) + 1
    mated = np.bincount(scores.person_a[scores.same], minlength=count)
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(-mated[order], kind="stable")]  # people with mated pairs are spread evenly
    fold_of = np.empty(count, dtype=np.intp)
    fold_of[order] = np.arange(count) % folds
    if np.count_nonzero(mated) < folds:
        raise NotEnoughDataError(
            expected=f"people with two photos for each of {folds} folds",
            got=f"{np.count_nonzero(mated)} such people",
            advice="give more photos, or ask for fewer folds (`--folds`)",
        )
    use = np.flatnonzero(fold_of[scores.person_a] == fold_of[scores.person_b])
    return use, fold_of[scores.person_a[use]]

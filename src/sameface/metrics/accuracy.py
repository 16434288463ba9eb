"""Accuracy of verification, the way LFW is reported: threshold from the other folds, mean ± standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.metrics.arrays import as_distances
from sameface.metrics.folds import People, shares_people


@dataclass(frozen=True, slots=True)
class FoldResult:
    """One fold of a k-fold accuracy.

    Attributes:
        accuracy: share of this fold's pairs decided rightly (or the mean of both kinds' shares, when balanced).
        threshold: τ chosen on the other folds.
        pairs: pairs in this fold.
        chosen_on: pairs that chose τ; those that share a person with this fold are left out.
    """

    accuracy: float
    threshold: float
    pairs: int
    chosen_on: int


def accuracy_threshold(
    mated: npt.ArrayLike, non_mated: npt.ArrayLike, *, balanced: bool = False
) -> tuple[float, float]:
    """The τ that decides most pairs rightly.

    Between two neighbouring distances accuracy is the same everywhere: τ is the middle. Of equally good places the lowest, which has the
    fewest false matches.

    Args:
        mated, non_mated: distances; an ``inf`` among the non-mated (no face found) counts as an error at every τ.
        balanced: weigh both kinds equally, whatever their numbers.

    Returns:
        (τ, accuracy there).

    >>> accuracy_threshold([0.2, 0.4], [0.6, 0.9])
    (0.5, 1.0)
    """
    m = np.sort(as_distances(mated, kind="mated")).astype(np.float64)
    n = np.sort(as_distances(non_mated, kind="non-mated")).astype(np.float64)
    distinct = np.unique(np.concatenate([m, n]))
    distinct = distinct[np.isfinite(distinct)]
    if distinct.size == 0:
        return 0.0, 0.0
    candidates = np.concatenate(
        [distinct[:1], (distinct[:-1] + distinct[1:]) / 2, [np.nextafter(distinct[-1], np.inf)]]
    )
    # Neighbours one rounding step apart have their "middle" on one of them; the rule at equality makes that right too.
    hits = np.searchsorted(m, candidates, side="left")
    rejections = np.count_nonzero(np.isfinite(n)) - np.searchsorted(n, candidates, side="left")
    score = (hits / m.size + rejections / n.size) / 2 if balanced else (hits + rejections) / (m.size + n.size)
    best = int(np.argmax(score))
    return float(candidates[best]), float(score[best])


def accuracy_at(mated: npt.ArrayLike, non_mated: npt.ArrayLike, threshold: float, *, balanced: bool = False) -> float:
    """The share of pairs decided rightly at τ; a pair with a face that was not found is an error, whichever kind it is.

    >>> accuracy_at([0.2, float("inf")], [0.7, float("inf")], 0.5)
    0.5
    """
    m = as_distances(mated, kind="mated", empty=not balanced)
    n = as_distances(non_mated, kind="non-mated", empty=not balanced)
    hits = np.count_nonzero(m < threshold)
    rejections = np.count_nonzero((n >= threshold) & np.isfinite(n))
    if balanced:
        return float(hits / m.size + rejections / n.size) / 2
    if m.size + n.size == 0:
        raise NotEnoughDataError(expected="at least one pair", got="none", advice="give pairs")
    return float((hits + rejections) / (m.size + n.size))


def accuracy_by_fold(
    distances: npt.NDArray[np.floating],
    same: npt.NDArray[np.bool_],
    folds: npt.NDArray[np.integer],
    *,
    people: tuple[People, People] | None = None,
    balanced: bool = False,
) -> list[FoldResult]:
    """Accuracy on each fold with the τ that was best on the other folds.

    Args:
        distances: ``(n,)``; ``inf`` where a face was not found.
        same: ``(n,)`` which pairs are mated.
        folds: ``(n,)`` fold numbers.
        people: whose photos each pair compares; given, no pair that shares a person with a fold helps to choose its τ.
        balanced: weigh mated and non-mated pairs equally.

    Returns:
        One result per fold, in the order of their numbers.

    Raises:
        NotEnoughDataError: a τ would have to be chosen without mated or without non-mated pairs.
    """
    results = []
    for fold in np.unique(folds):
        scored = folds == fold
        choosing = ~scored if people is None else ~shares_people(*people, scored)
        threshold, _ = accuracy_threshold(distances[choosing & same], distances[choosing & ~same], balanced=balanced)
        accuracy = accuracy_at(distances[scored & same], distances[scored & ~same], threshold, balanced=balanced)
        results.append(FoldResult(accuracy, threshold, int(scored.sum()), int(choosing.sum())))
    return results


def mean_and_standard_error(values: npt.ArrayLike) -> tuple[float, float]:
    """Mean over folds and its standard error, as LFW is published.

    Returns:
        (μ, σ/√k) with ``σ² = Σ(p − μ)²/(k − 1)``; the error of a single fold is NaN.

    Source: Huang et al. 2007, "Labeled Faces in the Wild", equations 1 to 3.

    >>> mean, error = mean_and_standard_error([0.98, 1.0])
    >>> round(mean, 4), round(error, 4)
    (0.99, 0.01)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise NotEnoughDataError(expected="at least one fold", got="none", advice="give pairs in folds")
    deviation = float(array.std(ddof=1)) if array.size > 1 else float("nan")
    return float(array.mean()), deviation / float(np.sqrt(array.size))

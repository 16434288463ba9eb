"""Thresholds chosen for a stated false-match rate: never above it on the data they were chosen on."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sameface.errors import SettingError
from sameface.metrics.arrays import as_distances


def matches_allowed(total: int, target: float) -> int:
    """The most events out of `total` whose rate does not exceed the target, in the arithmetic that reports it.

    >>> matches_allowed(1000, 0.001), matches_allowed(999, 0.001), matches_allowed(100, 0.29)
    (1, 0, 29)
    """
    if not 0 <= target <= 1:
        raise SettingError(expected="a rate between 0 and 1", got=str(target), advice="give a rate, for instance 0.001")
    allowed = min(total, math.floor(target * total) + 1)
    while allowed and allowed / total > target:
        allowed -= 1
    return allowed


def threshold_at_fmr(non_mated: npt.ArrayLike, target: float) -> float:
    """The highest τ whose FMR on these pairs does not exceed the target.

    Args:
        non_mated: ``(n,)`` distances.
        target: wanted FMR, in [0, 1].

    Returns:
        The distance of the first pair that must not match (``inf`` when all may): ``distance < τ`` leaves it and its ties out.

    Raises:
        NotEnoughDataError: no pairs. Whether they are *enough* for a claim is another question, see `pairs_needed`.

    >>> threshold_at_fmr([0.4, 0.5, 0.6, 0.7], 0.25)
    0.5
    >>> threshold_at_fmr([0.4, 0.4, 0.6, 0.7], 0.25)  # a tie: one of the two may match, so neither does
    0.4
    """
    values = as_distances(non_mated, kind="non-mated")
    allowed = matches_allowed(values.size, target)
    if allowed == values.size:
        return math.inf
    return float(np.partition(values, allowed)[allowed])


def tar_at_fmr(mated: npt.ArrayLike, non_mated: npt.ArrayLike, target: float) -> tuple[float, float]:
    """TAR, the share of mated pairs accepted, at the highest τ that keeps the FMR.

    Returns:
        (TAR = 1 − FNMR, τ). FaceNet calls the rate VAL.

    >>> tar_at_fmr([0.1, 0.3, 0.45], [0.4, 0.5, 0.6, 0.7], 0.25)
    (1.0, 0.5)
    """
    accepted = as_distances(mated, kind="mated")
    threshold = threshold_at_fmr(non_mated, target)
    return float(np.count_nonzero(accepted < threshold) / accepted.size), threshold


def threshold_at_fpir(nearest_non_mates: npt.ArrayLike, target: float) -> float:
    """τ(K): the highest threshold that names somebody for at most the target share of unknown people.

    Args:
        nearest_non_mates: ``(n,)`` for each search of an unknown person the distance of the nearest enrolled one.
        target: wanted FPIR.

    >>> threshold_at_fpir([0.7, 0.5, 0.9, 0.8], 0.25)
    0.7
    """
    return threshold_at_fmr(nearest_non_mates, target)

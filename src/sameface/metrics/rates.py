"""FMR and FNMR at a threshold."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt

from sameface.metrics.arrays import as_distances


@overload
def false_match_rate(non_mated: npt.ArrayLike, threshold: float) -> float: ...
@overload
def false_match_rate(non_mated: npt.ArrayLike, threshold: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]: ...
def false_match_rate(
    non_mated: npt.ArrayLike, threshold: float | npt.NDArray[np.floating]
) -> float | npt.NDArray[np.float64]:
    """FMR(τ): the share of non-mated pairs whose distance is under τ.

    Args:
        non_mated: ``(n,)`` distances of photos of two people.
        threshold: one τ, or ``(k,)`` of them.

    Returns:
        A rate in [0, 1], or ``(k,)`` of them. Never falls as τ rises.

    Raises:
        NotEnoughDataError: no pairs.

    Source: ISO/IEC 19795-1:2021, false match rate.

    >>> false_match_rate([0.5, 0.6, 0.7, 0.8], 0.6)  # 0.6 is not under 0.6
    0.25
    """
    return _share_under(non_mated, threshold, "non-mated")


@overload
def false_non_match_rate(mated: npt.ArrayLike, threshold: float) -> float: ...
@overload
def false_non_match_rate(mated: npt.ArrayLike, threshold: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]: ...
def false_non_match_rate(
    mated: npt.ArrayLike, threshold: float | npt.NDArray[np.floating]
) -> float | npt.NDArray[np.float64]:
    """FNMR(τ): the share of mated pairs whose distance is τ or more; a face that was not found is among them.

    >>> false_non_match_rate([0.3, 0.6, float("inf"), 0.5], 0.6)
    0.5
    """
    return 1 - _share_under(mated, threshold, "mated")


@overload
def _share_under(values: npt.ArrayLike, threshold: float, kind: str) -> float: ...
@overload
def _share_under(values: npt.ArrayLike, threshold: npt.NDArray[np.floating], kind: str) -> npt.NDArray[np.float64]: ...
def _share_under(
    values: npt.ArrayLike, threshold: float | npt.NDArray[np.floating], kind: str
) -> float | npt.NDArray[np.float64]:
    array = as_distances(values, kind=kind)
    if np.ndim(threshold) == 0:
        return float(np.count_nonzero(array < threshold) / array.size)
    return np.searchsorted(np.sort(array), threshold, side="left") / array.size

"""ROC and DET: FMR against FNMR over every threshold, and the numbers read from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.metrics.arrays import as_distances


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The error rates at every threshold where one of them changes.

    Attributes:
        thresholds: ``(k,)`` float64, strictly rising; the last accepts every finite distance.
        fmr: ``(k,)``, never falling.
        fnmr: ``(k,)``, never rising.
    """

    thresholds: npt.NDArray[np.float64]
    fmr: npt.NDArray[np.float64]
    fnmr: npt.NDArray[np.float64]

    def thinned(self, points: int = 2000) -> Curve:
        """At most about `points` of the curve's points, evenly along it, the ends among them: enough to draw."""
        if len(self.thresholds) <= points:
            return self
        # Even steps in each rate and in log FMR keep the corners of both the linear and the logarithmic picture.
        n = points // 3
        floor = max(float(self.fmr[self.fmr > 0].min(initial=1.0)), 1e-9)
        chosen = np.unique(
            np.concatenate(
                [
                    np.searchsorted(self.fmr, np.linspace(0, 1, n)),
                    np.searchsorted(self.fmr, np.geomspace(floor, 1, n)),
                    np.searchsorted(-self.fnmr, -np.linspace(1, 0, n)),
                    [0, len(self.fmr) - 1],
                ]
            ).clip(0, len(self.fmr) - 1)
        )
        return Curve(self.thresholds[chosen], self.fmr[chosen], self.fnmr[chosen])


def curve(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> Curve:
    """FMR and FNMR of the rule *distance < τ* at every threshold that matters.

    Args:
        mated, non_mated: ``(m,)`` and ``(n,)`` distances; ``inf`` is under no τ.

    Returns:
        One point per distinct finite distance, plus one above them all.

    Raises:
        NotEnoughDataError: one kind is empty.

    >>> c = curve([0.2, 0.4], [0.4, 0.9])
    >>> c.thresholds[:-1].tolist(), c.fmr.tolist(), c.fnmr.tolist()
    ([0.2, 0.4, 0.9], [0.0, 0.0, 0.5, 1.0], [1.0, 0.5, 0.0, 0.0])
    """
    m = np.sort(as_distances(mated, kind="mated")).astype(np.float64)
    n = np.sort(as_distances(non_mated, kind="non-mated")).astype(np.float64)
    distinct = np.unique(np.concatenate([m, n]))
    distinct = distinct[np.isfinite(distinct)]
    above = np.nextafter(distinct[-1], np.inf) if distinct.size else 0.0
    thresholds = np.append(distinct, above)
    fmr = np.searchsorted(n, thresholds, side="left") / n.size
    fnmr = 1 - np.searchsorted(m, thresholds, side="left") / m.size
    return Curve(thresholds, fmr, fnmr)


def equal_error_rate(of: Curve) -> tuple[float, float]:
    """The EER and its threshold.

    The rates are steps and rarely equal: the threshold is where they differ least (the lowest such), and the EER is the mean of
    the two rates there.

    Returns:
        (rate, τ).

    >>> equal_error_rate(curve([0.1, 0.2, 0.3, 0.6], [0.5, 0.7, 0.8, 0.9]))
    (0.25, 0.6)
    """
    at = int(np.argmin(np.abs(of.fmr - of.fnmr)))
    return float((of.fmr[at] + of.fnmr[at]) / 2), float(of.thresholds[at])


def area_under_curve(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> float:
    """AUC: the chance that a mated pair is nearer than a non-mated one, ties counting half (Mann and Whitney 1947).

    >>> area_under_curve([0.1, 0.4], [0.4, 0.9])
    0.875
    """
    m = as_distances(mated, kind="mated")
    n = np.sort(as_distances(non_mated, kind="non-mated"))
    below = np.searchsorted(n, m, side="left")
    not_above = np.searchsorted(n, m, side="right")
    return float(1 - (below + not_above).sum() / (2 * m.size * n.size))

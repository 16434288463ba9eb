"""EER, AUC and TAR of weighted pairs: pairs are sorted once, and each set of weights costs one sum over them.

A bootstrap asks for the same numbers hundreds of times with other weights. The order of the distances never changes, so all three are read off
two cumulated sums: that of the mated and that of the non-mated weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.evaluation.scores import Scores
from sameface.metrics.thresholds import matches_allowed

#: ``(n,)`` how often a pair, or a person, counts.
Counts = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Pairs in order of distance with what they weigh, ``inf`` left out.

    Attributes:
        mated, non_mated: ``(m,)`` and ``(n,)`` finite distances, rising.
        accepted, matched: ``(m + 1,)`` and ``(n + 1,)`` weight of the first 0, 1, … of them.
        mated_total: weight of all mated pairs, those that could not be compared among them.
        accepted_with: ``(m,)`` how many mated pairs are accepted with each: of equal distances all.
        ties: ``(2, m)`` how many non-mated pairs are nearer than each mated one, and how many are not farther.
    """

    mated: npt.NDArray[np.floating]
    non_mated: npt.NDArray[np.floating]
    accepted: npt.NDArray[np.int64]
    matched: npt.NDArray[np.int64]
    mated_total: int
    accepted_with: npt.NDArray[np.intp]
    ties: npt.NDArray[np.intp]

    @property
    def empty(self) -> bool:
        """Whether one kind weighs nothing, so that there are no rates."""
        return self.mated_total == 0 or self.matched[-1] == 0

    def auc(self) -> float:
        """As `sameface.metrics.area_under_curve`."""
        if self.empty:
            return float("nan")
        total = self.matched[-1]
        nearer, not_farther = self.matched[self.ties]
        weight = np.diff(self.accepted)
        lost = float(weight @ (nearer.astype(np.float64) + not_farther)) / 2
        # A mated pair that could not be compared is farther than every non-mated one.
        lost += float(total) * float(self.mated_total - self.accepted[-1])
        return 1 - lost / (float(total) * self.mated_total)

    def eer(self) -> float:
        """As `sameface.metrics.equal_error_rate`: the mean of both rates where they differ least.

        FMR minus FNMR only grows with τ, so the step at which its sign changes is searched for, first among the mated distances, then among the
        non-mated ones before it.
        """
        if self.empty:
            return float("nan")
        after = self.ties[1]  # with τ just above a mated distance
        count = self.accepted_with
        signs = self._fmr(after) - self._fnmr(count)
        step = int(np.searchsorted(signs, 0, side="left"))
        if step < len(signs):
            step = int(np.searchsorted(self.mated, self.mated[step], side="left"))
        accepted = step if step < len(signs) else len(self.mated)
        first = int(after[step - 1]) if step else 0
        last = int(self.ties[0][step]) if step < len(signs) else len(self.non_mated)
        # Between two mated distances FNMR stays: where among the non-mated ones there does FMR pass it?
        span = self._fmr(np.arange(first, last + 1)) - self._fnmr(np.array([accepted]))
        passed = first + int(np.searchsorted(span, 0, side="left"))
        points = [(first, accepted)]
        for at in (passed - 1, passed):
            if first < at <= last:
                points += [(end, accepted) for end in self._ends(at) if first <= end <= last]
        if step < len(signs):
            points.append((int(after[step]), int(count[step])))
        best = min(sorted(set(points)), key=lambda point: abs(self._apart(*point)))
        return float(self._fmr(best[0]) + self._fnmr(best[1])) / 2

    def tar_at_fmr(self, target: float) -> float:
        """As `sameface.metrics.tar_at_fmr`, with τ chosen anew for these weights."""
        if self.empty:
            return float("nan")
        allowed = matches_allowed(int(self.matched[-1]), target)
        first = int(np.searchsorted(self.matched[1:], allowed, side="right"))  # the first pair that must not match
        threshold = self.non_mated[first] if first < len(self.non_mated) else np.inf
        return float(self.accepted[np.searchsorted(self.mated, threshold, side="left")] / self.mated_total)

    def _ends(self, count: int) -> tuple[int, int]:
        """The nearest counts of non-mated pairs, at most and at least so many, that part no equal distances."""
        value = self.non_mated[count - 1]
        end = int(np.searchsorted(self.non_mated, value, side="right"))
        return (int(np.searchsorted(self.non_mated, value, side="left")) if end != count else count), end

    def _fmr(self, count: npt.NDArray[np.intp] | int) -> npt.NDArray[np.float64]:
        return np.asarray(self.matched[count] / self.matched[-1])

    def _fnmr(self, count: npt.NDArray[np.intp] | int) -> npt.NDArray[np.float64]:
        return np.asarray(1 - self.accepted[count] / self.mated_total)

    def _apart(self, matched: int, accepted: int) -> float:
        return float(self._fmr(matched) - self._fnmr(accepted))


class RankedPairs:
    """The order of a set of scores, to be weighed again and again.

    Args:
        scores: the pairs.
        a, b: ``(n,)`` the two units of each pair, people by number; a mated pair has its first alone.
    """

    def __init__(self, scores: Scores, a: Counts, b: Counts) -> None:
        finite = np.isfinite(scores.distances)
        mated, non_mated = np.flatnonzero(scores.same & finite), np.flatnonzero(~scores.same & finite)
        self._at_mated = mated[np.argsort(scores.distances[mated], kind="stable")]
        self._at_non_mated = non_mated[np.argsort(scores.distances[non_mated], kind="stable")]
        self._lost = np.flatnonzero(scores.same & ~finite)
        self._mated = scores.distances[self._at_mated]
        self._non_mated = scores.distances[self._at_non_mated]
        self._accepted_with = np.searchsorted(self._mated, self._mated, side="right")
        self._ties = np.stack([np.searchsorted(self._non_mated, self._mated, side=side) for side in ("left", "right")])
        # Gathering from a table of small numbers by small numbers is what a draw costs.
        small = np.uint16 if max(int(a.max(initial=0)), int(b.max(initial=0))) < 2**16 else np.uint32
        self._unit, self._lost_unit = a[self._at_mated], a[self._lost]
        self._first, self._second = (x[self._at_non_mated].astype(small) for x in (a, b))

    def of_pairs(self, weights: Counts) -> Ranked:
        """Weighed pair by pair, in the order of the scores."""
        return self._ranked(
            weights[self._at_mated], weights[self._at_non_mated].astype(np.int64), int(weights[self._lost].sum())
        )

    def of_people(self, drawn: Counts) -> Ranked:
        """Weighed by how often each person is drawn: wᵢ for a mated pair, wᵢ·wⱼ for a non-mated one."""
        small = drawn.astype(np.uint16 if int(drawn.max(initial=0)) < 2**8 else np.int64)
        both = small[self._first]
        both *= small[self._second]
        return self._ranked(drawn[self._unit], both, int(drawn[self._lost_unit].sum()))

    def of_units(self, drawn: Counts) -> Ranked:
        """Weighed by how often each pair's first unit is drawn, whichever kind it is: for pairs that share nobody."""
        return self._ranked(drawn[self._unit], drawn[self._first], int(drawn[self._lost_unit].sum()))

    def _ranked(self, mated: Counts, non_mated: Counts, lost: int) -> Ranked:
        accepted = np.zeros(len(mated) + 1, dtype=np.int64)
        matched = np.zeros(len(non_mated) + 1, dtype=np.int64)
        np.cumsum(mated, out=accepted[1:])
        np.cumsum(non_mated, dtype=np.int64, out=matched[1:])
        total = int(accepted[-1]) + lost
        return Ranked(self._mated, self._non_mated, accepted, matched, total, self._accepted_with, self._ties)

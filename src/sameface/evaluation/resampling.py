"""Intervals of verification's rates, by what their pairs allow.

Pairs that share nobody are independent trials: Clopper–Pearson. Where people are in several pairs, people are drawn, see
`sameface.metrics.bootstrap`. Where nothing failed there is nothing to draw: the rule of three, over as many pairs as share nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt

from sameface.evaluation.results import Rate
from sameface.evaluation.scores import Scores, everybody
from sameface.metrics import binomial_interval, people_weights, rule_of_three
from sameface.metrics.bootstrap import METHOD
from sameface.metrics.thresholds import matches_allowed
from sameface.types import Interval

REPLICATES = 1000
#: Above so many pairs τ is not chosen anew in each draw.
MOST_PAIRS_TO_RESCORE = 100_000
#: Pair weights that one statistic may cost; more pairs get fewer draws, at least 200.
MOST_WEIGHTS = 10_000_000
LEVEL = 0.95
#: Counts of draws times people that are kept between rates.
MOST_KEPT = 20_000_000
#: Up to so many people the weight of many pairs is read off a table of people by people.
MOST_PEOPLE_IN_A_TABLE = 5000
#: With more events than this a fifth of the draws is enough, and quick enough.
MANY_EVENTS = 300_000


class PeopleDraws:
    """The draws of people for one set of scores, the same for every rate, so that rates can be compared.

    Args:
        scores: pairs with people.
        replicates, seed: of the bootstrap.
    """

    def __init__(self, scores: Scores, *, replicates: int = REPLICATES, seed: int = 0) -> None:
        self.scores = scores
        people = everybody(scores)
        position = np.zeros(int(people.max()) + 1, dtype=np.int32)
        position[people] = np.arange(len(people))
        self._a, self._b = position[scores.person_a], position[scores.person_b]
        self._people = len(people)
        self._photos = None if scores.photos_of is None else scores.photos_of[people]
        self._replicates, self._seed = replicates, seed
        self._apart = np.flatnonzero(~scores.same)
        self._kept: npt.NDArray[np.uint16] | None = None
        self.independent = scores.disjoint

    @property
    def rescoring(self) -> bool:
        """Whether thresholds can be chosen anew in each draw."""
        return len(self.scores.a) <= MOST_PAIRS_TO_RESCORE

    def rate(self, events: npt.NDArray[np.bool_], trials: npt.NDArray[np.bool_]) -> Rate:
        """A rate over pairs with its interval.

        Args:
            events: ``(n,)`` where it happened. trials: ``(n,)`` where it could; all mated or all non-mated, or both.
        """
        count, total = int(np.count_nonzero(events & trials)), int(np.count_nonzero(trials))
        if total == 0:
            return Rate(float("nan"), 0, 0, None)
        return Rate(count / total, count, total, self._interval(events & trials, trials, count, total))

    def statistic(self, of: Callable[[npt.NDArray[np.float64]], float]) -> Interval | None:
        """The interval of any number computed from pair weights; None where there are too many pairs to do that often."""
        if not self.rescoring or self._people < 2:
            return None
        replicates = min(self._replicates, max(200, MOST_WEIGHTS // len(self.scores.a)))
        values = []
        for w in islice(self._draws(), replicates):
            weights = w[self._a]
            # A mated pair has one person, a non-mated pair two.
            weights[self._apart] *= w[self._b[self._apart]]
            values.append(of(weights))
        return _percentiles(np.array(values))

    def _draws(self) -> Iterator[npt.NDArray[np.float64]]:
        """How often each person is drawn, draw after draw; kept while that is small, since every rate uses the same draws."""
        if self._replicates * self._people > MOST_KEPT:
            yield from (w.astype(np.float64) for w in people_weights(self._people, self._replicates, seed=self._seed))
            return
        if self._kept is None:
            drawn = people_weights(self._people, self._replicates, seed=self._seed)
            self._kept = np.array([w.astype(np.uint16) for w in drawn])
        for row in self._kept:
            yield row.astype(np.float64)

    def _interval(
        self, events: npt.NDArray[np.bool_], trials: npt.NDArray[np.bool_], count: int, total: int
    ) -> Interval | None:
        if self.independent:
            return binomial_interval(count, total, LEVEL)
        if count in (0, total):
            return self._nothing_happened(trials, count == total)
        replicates = self._replicates if count < MANY_EVENTS else max(1, self._replicates // 5)
        numerator, denominator = self._weight_of(np.flatnonzero(events)), self._weight_of_trials(trials, total)
        # Draws whose people have no such pair at all give no rate and are left out.
        pairs = ((numerator(w), denominator(w)) for w in islice(self._draws(), replicates))
        return _percentiles(np.array([above / below for above, below in pairs if below > 0]))

    def _weight_of(self, at: npt.NDArray[np.intp]) -> Callable[[npt.NDArray[np.float64]], float]:
        """The weight of some pairs in a draw: Σ wᵢ over mated ones and Σ wᵢwⱼ over the others."""
        same = self.scores.same[at]
        of_one = np.bincount(self._a[at[same]], minlength=self._people).astype(np.float64)
        a, b = self._a[at[~same]], self._b[at[~same]]
        if len(a) <= MOST_PAIRS_TO_RESCORE or self._people > MOST_PEOPLE_IN_A_TABLE:
            return lambda w: float(w @ of_one) + float(w[a] @ w[b])
        table = np.bincount(a.astype(np.int64) * self._people + b, minlength=self._people**2).astype(np.float64)
        of_two = table.reshape(self._people, self._people)
        return lambda w: float(w @ of_one) + float(w @ (of_two @ w))

    def _weight_of_trials(
        self, trials: npt.NDArray[np.bool_], total: int
    ) -> Callable[[npt.NDArray[np.float64]], float]:
        photos = self._photos
        if photos is not None and not (trials & self.scores.same).any():
            n = photos.astype(np.float64)
            if total == round(float(n.sum() ** 2 - (n**2).sum()) / 2):
                # All non-mated pairs of the compared photos: ½((Σ wᵢnᵢ)² − Σ (wᵢnᵢ)²), no sum over millions of pairs.
                return lambda w: float((w @ n) ** 2 - ((w * n) ** 2).sum()) / 2
        return self._weight_of(np.flatnonzero(trials))

    def _nothing_happened(self, trials: npt.NDArray[np.bool_], always: bool) -> Interval:
        at = np.flatnonzero(trials)
        if self._photos is None:
            separate = separate_pairs(self._a[at], self._b[at], self._people)
        elif self.scores.same[at[0]]:
            separate = int(np.count_nonzero(np.bincount(self._a[at])))
        else:
            separate = self._people // 2  # all pairs: as many as two by two
        bound = rule_of_three(separate, LEVEL)
        return Interval(1 - bound.high, 1.0, LEVEL, bound.method) if always else bound


def separate_pairs(a: npt.NDArray[np.integer], b: npt.NDArray[np.integer], people: int) -> int:
    """How many of the pairs, taken greedily, share nobody: the independent trials among them.

    >>> separate_pairs(np.array([0, 0, 2, 4]), np.array([1, 2, 3, 4]), 5)
    3
    """
    taken = np.zeros(people, dtype=np.bool_)
    count = 0
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        if not (taken[x] or taken[y]):
            taken[x] = taken[y] = True
            count += 1
    return count


def weighted_tar_at_fmr(scores: Scores, target: float) -> Callable[[npt.NDArray[np.float64]], float]:
    """TAR at an FMR as a function of pair weights, with τ chosen anew for those weights."""
    finite = np.isfinite(scores.distances)
    non_mated = np.flatnonzero(~scores.same & finite)
    non_mated = non_mated[np.argsort(scores.distances[non_mated], kind="stable")]
    mated = np.flatnonzero(scores.same)
    mated = mated[np.argsort(scores.distances[mated], kind="stable")]
    sorted_mated, sorted_non_mated = scores.distances[mated], scores.distances[non_mated]

    def tar(weights: npt.NDArray[np.float64]) -> float:
        under = np.cumsum(weights[non_mated])
        total = weights[mated].sum()
        if not len(under) or under[-1] == 0 or total == 0:
            return float("nan")
        allowed = matches_allowed(int(under[-1]), target)
        first = int(np.searchsorted(under, allowed, side="right"))  # the first pair that must not match
        threshold = sorted_non_mated[first] if first < len(sorted_non_mated) else np.inf
        accepted = int(np.searchsorted(sorted_mated, threshold, side="left"))
        return float(weights[mated[:accepted]].sum() / total)

    return tar


def weighted_auc(scores: Scores) -> Callable[[npt.NDArray[np.float64]], float]:
    """AUC as a function of pair weights."""
    use = np.flatnonzero(scores.same | np.isfinite(scores.distances))
    use = use[np.argsort(scores.distances[use], kind="stable")]
    _, group = np.unique(scores.distances[use], return_inverse=True)
    same = scores.same[use]

    def auc(weights: npt.NDArray[np.float64]) -> float:
        w = weights[use]
        m = np.bincount(group, w * same)
        n = np.bincount(group, w * ~same)
        if m.sum() == 0 or n.sum() == 0:
            return float("nan")
        above = n.sum() - np.cumsum(n)
        return float((m * (above + n / 2)).sum() / (m.sum() * n.sum()))

    return auc


def _percentiles(values: npt.NDArray[np.float64]) -> Interval | None:
    values = values[~np.isnan(values)]
    if not values.size:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), LEVEL, METHOD)

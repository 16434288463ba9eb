"""Intervals of verification's rates, by what their pairs allow.

Pairs that share nobody are independent trials: Clopper–Pearson. Where people are in several pairs, people are drawn, see
`sameface.metrics.bootstrap`. Where nothing failed there is nothing to draw: the rule of three, over as many pairs as share nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.evaluation.ranked import Ranked, RankedPairs
from sameface.evaluation.results import Rate
from sameface.evaluation.scores import Scores, everybody
from sameface.metrics import binomial_interval, people_weights, rule_of_three
from sameface.metrics.bootstrap import METHOD
from sameface.types import Interval

REPLICATES = 1000
#: FMRs that TAR is reported at, as far as the pairs allow.
TARGETS: Final = (1e-1, 1e-2, 1e-3, 1e-4)
#: Up to so many pairs a rate's weights are gathered pair by pair.
MOST_PAIRS_TO_GATHER = 100_000
#: Pair weights that the statistics may cost together; more pairs get fewer draws, at least `FEWEST`.
MOST_WEIGHTS = 500_000_000
FEWEST = 200
LEVEL = 0.95
#: Counts of draws times people that are kept between rates.
MOST_KEPT = 20_000_000
#: Counts, or weights of pairs, that draws which are weighed together hold.
MOST_AT_ONCE: Final = 500_000
#: ``(draws, people)`` to ``(draws,)``.
Weigh = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
#: Up to so many people the weight of many pairs is read off a table of people by people.
MOST_PEOPLE_IN_A_TABLE = 5000
#: With more events than this a fifth of the draws is enough, and quick enough.
MANY_EVENTS = 300_000


@dataclass(frozen=True, slots=True, eq=False)
class RankDraws:
    """What draws of people gave, ``(draws,)`` each: `eer`, `auc`, and `tar` by target FMR. NaN where a draw has one kind of pair only."""

    eer: npt.NDArray[np.float64]
    auc: npt.NDArray[np.float64]
    tar: Mapping[float, npt.NDArray[np.float64]]


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
        self._kept: npt.NDArray[np.uint16] | None = None
        self.independent = scores.disjoint

    def rate(self, events: npt.NDArray[np.bool_], trials: npt.NDArray[np.bool_]) -> Rate:
        """A rate over pairs with its interval.

        Args:
            events: ``(n,)`` where it happened. trials: ``(n,)`` where it could; all mated or all non-mated, or both.
        """
        return self.rates(events, trials, (LEVEL,))[0]

    def rates(
        self, events: npt.NDArray[np.bool_], trials: npt.NDArray[np.bool_], levels: Sequence[float]
    ) -> tuple[Rate, ...]:
        """As `rate`, with an interval at each of several levels, from the same draws."""
        count, total = int(np.count_nonzero(events & trials)), int(np.count_nonzero(trials))
        if total == 0:
            return (Rate(float("nan"), 0, 0, None),) * len(levels)
        if self.independent:
            found: list[Interval | None] = [binomial_interval(count, total, level) for level in levels]
        elif count in (0, total):
            found = [self._nothing_happened(trials, count == total, level) for level in levels]
        else:
            drawn = self.drawn_rate(events, trials)
            found = [percentiles(drawn, level) for level in levels]
        return tuple(Rate(count / total, count, total, interval) for interval in found)

    @cached_property
    def ranks(self) -> RankDraws:
        """EER, AUC and TAR at each target in every draw of people, with τ chosen anew in each: all in one pass over the pairs."""
        if self._people < 2:
            return RankDraws(np.empty(0), np.empty(0), {target: np.empty(0) for target in TARGETS})
        ranked = RankedPairs(self.scores, self._a, self._b)
        weigh = ranked.of_units if self.independent else ranked.of_people
        most = min(self._replicates, max(FEWEST, MOST_WEIGHTS // len(self.scores.a)))
        # The same draws as in `_draws`: weights are drawn anew, which costs far less than the sum over the pairs.
        drawn = islice(people_weights(self._people, self._replicates, seed=self._seed), most)
        rows = [_rank_statistics(weigh(w)) for w in drawn]
        eer, auc, *tar = np.array(rows, dtype=np.float64).T
        return RankDraws(eer, auc, dict(zip(TARGETS, tar, strict=True)))

    def _draws(self, wanted: int, at_once: int) -> Iterator[npt.NDArray[np.float64]]:
        """How often each person is drawn, `(draws, people)`, some draws at once; kept while that is small, since every rate uses the same."""
        drawn: Iterable[npt.NDArray[np.integer]] = people_weights(self._people, self._replicates, seed=self._seed)
        if self._kept is None and self._replicates * self._people <= MOST_KEPT:
            self._kept = np.array([w.astype(np.uint16) for w in drawn])
        rows = islice(drawn if self._kept is None else self._kept, wanted)
        while some := list(islice(rows, at_once)):
            yield np.array(some, dtype=np.float64)

    def drawn_rate(self, events: npt.NDArray[np.bool_], trials: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """A rate in each draw, as in `rate`; NaN in draws whose people have no such pair at all."""
        happened, total = events & trials, int(np.count_nonzero(trials))
        replicates = (
            self._replicates if np.count_nonzero(happened) < MANY_EVENTS else max(FEWEST, self._replicates // 5)
        )
        numerator, denominator = self._weight_of(np.flatnonzero(happened)), self._weight_of_trials(trials, total)
        gathered = total if self._people > MOST_PEOPLE_IN_A_TABLE else min(total, MOST_PAIRS_TO_GATHER)
        drawn = self._draws(replicates, max(1, MOST_AT_ONCE // max(self._people, gathered)))
        above, below = np.concatenate([(numerator(w), denominator(w)) for w in drawn], axis=1)
        rates = np.full(len(above), np.nan)
        np.divide(above, below, out=rates, where=below > 0)
        return rates

    def _weight_of(self, at: npt.NDArray[np.intp]) -> Weigh:
        """The weight of some pairs in each draw: Σ wᵢ over mated ones and Σ wᵢwⱼ over the others, Σ wᵢ over all that share nobody."""
        same = np.ones(len(at), dtype=np.bool_) if self.independent else self.scores.same[at]
        of_one = np.bincount(self._a[at[same]], minlength=self._people).astype(np.float64)
        a, b = self._a[at[~same]], self._b[at[~same]]
        if len(a) <= MOST_PAIRS_TO_GATHER or self._people > MOST_PEOPLE_IN_A_TABLE:
            return lambda w: w @ of_one + np.einsum("dn,dn->d", w[:, a], w[:, b])
        who = np.flatnonzero(np.bincount(a, minlength=self._people) + np.bincount(b, minlength=self._people))
        place = np.zeros(self._people, dtype=np.int64)
        place[who] = np.arange(len(who))
        table = np.bincount(place[a] * len(who) + place[b], minlength=len(who) ** 2).astype(np.float64)
        of_two = table.reshape(len(who), len(who))
        return lambda w: w @ of_one + np.einsum("dn,dn->d", w[:, who] @ of_two, w[:, who])

    def _weight_of_trials(self, trials: npt.NDArray[np.bool_], total: int) -> Weigh:
        photos = self._photos
        if photos is not None and not (trials & self.scores.same).any():
            n = photos.astype(np.float64)
            if total == round(float(n.sum() ** 2 - (n**2).sum()) / 2):
                # All non-mated pairs of the compared photos: ½((Σ wᵢnᵢ)² − Σ (wᵢnᵢ)²), no sum over millions of pairs.
                return lambda w: ((w @ n) ** 2 - ((w * n) ** 2).sum(axis=1)) / 2
        return self._weight_of(np.flatnonzero(trials))

    def _nothing_happened(self, trials: npt.NDArray[np.bool_], always: bool, level: float) -> Interval:
        at = np.flatnonzero(trials)
        if self._photos is None:
            separate = separate_pairs(self._a[at], self._b[at], self._people)
        elif self.scores.same[at[0]]:
            separate = int(np.count_nonzero(np.bincount(self._a[at])))
        else:
            separate = self._people // 2  # all pairs: as many as two by two
        bound = rule_of_three(separate, level)
        return Interval(1 - bound.high, 1.0, level, bound.method) if always else bound


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


def _rank_statistics(drawn: Ranked) -> tuple[float, ...]:
    return drawn.eer(), drawn.auc(), *(drawn.tar_at_fmr(target) for target in TARGETS)


def percentiles(values: npt.NDArray[np.float64], level: float = LEVEL) -> Interval | None:
    """The middle of what draws gave; None where none gave a number.

    >>> interval = percentiles(np.arange(101.0), 0.9)
    >>> round(interval.low, 9), round(interval.high, 9)
    (5.0, 95.0)
    """
    values = values[~np.isnan(values)]
    if not values.size:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, METHOD)

"""Two encoders on the same pairs: each difference with an interval and a p-value.

Two intervals that overlap say little about two encoders on the same photos: whatever makes the photos hard for one makes them hard for the other.
So both are measured in the same draws of people, and the difference is taken draw by draw.

The p-value is the smallest share of draws, doubled, that lie on the other side of 0; with 1,000 draws none is below 0.002. Where a list of
pairs is decided pair by pair, McNemar's exact test counts the pairs that one encoder gets right and the other does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError
from sameface.evaluation.fold_accuracy import decided_rightly
from sameface.evaluation.resampling import PeopleDraws, percentiles
from sameface.evaluation.results import Comparison, Difference, Run
from sameface.evaluation.scores import Scores
from sameface.metrics.paired import PairedDecisions, paired_decisions

HOW = (
    "the same draws of people for both; the interval holds the middle 95 % of the differences, and p is the doubled share of draws on the other "
    "side of 0"
)


def compare(first: tuple[Run, PeopleDraws], second: tuple[Run, PeopleDraws], *, seed: int = 0) -> Comparison:
    """How a second encoder differs from a first one on the same pairs.

    Args:
        first, second: what each gave, with the draws of its scores.
        seed: that the folds were dealt with.

    Raises:
        DataError: other pairs.
    """
    (run, draws), (other_run, other_draws) = first, second
    same_pairs = all(
        np.array_equal(getattr(draws.scores, name), getattr(other_draws.scores, name)) for name in ("a", "b", "same")
    )
    if not same_pairs:
        raise DataError(
            expected="the same pairs for both encoders",
            got=f"{len(draws.scores.a)} and {len(other_draws.scores.a)} pairs that differ",
            advice="score one list with both",
        )
    return Comparison(
        first=run.space,
        second=other_run.space,
        differences=tuple(_differences(first, second)),
        decisions=_decisions(first, second, seed),
        how=HOW,
    )


def difference(
    measure: str,
    first: float,
    second: float,
    draws: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
) -> Difference:
    """Second minus first, with its interval and p-value.

    Args:
        measure: its name.
        first, second: as measured.
        draws: what each draw of people gave for both; where one has fewer draws, they are the first of the other's.

    >>> flat, rising = np.zeros(999), np.arange(999.0) / 999
    >>> found = difference("EER", 0.0, 0.5, (flat, rising))
    >>> found.difference, found.p_value
    (0.5, 0.004)
    """
    count = min(len(values) for values in draws)
    apart = draws[1][:count] - draws[0][:count]
    apart = apart[~np.isnan(apart)]
    p_value = None
    if apart.size:
        fewer = min(int(np.count_nonzero(apart <= 0)), int(np.count_nonzero(apart >= 0)))
        p_value = min(1.0, 2 * (fewer + 1) / (apart.size + 1))
    return Difference(measure, first, second, second - first, percentiles(apart), p_value)


def _differences(first: tuple[Run, PeopleDraws], second: tuple[Run, PeopleDraws]) -> Iterator[Difference]:
    (one, draws), (two, other) = first, second
    a, b = one.verification, two.verification
    yield difference("EER", a.eer.value, b.eer.value, (draws.ranks.eer, other.ranks.eer))
    yield difference("AUC", a.auc.value, b.auc.value, (draws.ranks.auc, other.ranks.auc))
    for row, other_row in zip(a.tar, b.tar, strict=False):
        target = row.target_fmr
        yield difference(
            f"TAR at FMR {target:g}",
            row.tar.value,
            other_row.tar.value,
            (draws.ranks.tar[target], other.ranks.tar[target]),
        )
    if one.operating_point is None or two.operating_point is None:
        return
    thresholds = one.operating_point.threshold, two.operating_point.threshold
    for measure, mated in (("FNMR at its own τ", True), ("FMR at its own τ", False)):
        both = [
            _decided(item.scores, threshold, mated) for item, threshold in zip((draws, other), thresholds, strict=True)
        ]
        rates = [item.rate(*events).value for item, events in zip((draws, other), both, strict=True)]
        drawn = [item.drawn_rate(*events) for item, events in zip((draws, other), both, strict=True)]
        yield difference(measure, rates[0], rates[1], (drawn[0], drawn[1]))


def _decided(scores: Scores, threshold: float, mated: bool) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    under = scores.distances < threshold
    return (~under, scores.same) if mated else (under, ~scores.same & np.isfinite(scores.distances))


def _decisions(first: tuple[Run, PeopleDraws], second: tuple[Run, PeopleDraws], seed: int) -> PairedDecisions | None:
    """Pair by pair, each decided under the threshold that the other folds gave; only for lists of pairs."""
    if first[1].scores.photos_of is not None:
        return None
    return paired_decisions(
        *(decided_rightly(draws.scores, run.verification.accuracy, seed) for run, draws in (first, second))
    )

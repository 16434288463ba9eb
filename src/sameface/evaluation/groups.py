"""Error rates by group at one τ for all, and how far the groups lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.fold_accuracy import k_fold
from sameface.evaluation.resampling import LEVEL, PeopleDraws
from sameface.evaluation.results import GroupRates, GroupSpread, KFoldAccuracy, Rate
from sameface.evaluation.scores import Scores
from sameface.metrics.spread import level_of_each, spread


@dataclass(frozen=True, slots=True)
class Group:
    """One group of one column, with its rates and with their intervals at the level that a comparison of all groups needs."""

    rates: GroupRates
    fmr: Rate | None
    fnmr: Rate | None


def group_rates(
    draws: PeopleDraws, groups: Mapping[str, npt.ArrayLike], threshold: float, *, seed: int = 0
) -> tuple[tuple[GroupRates, ...], tuple[GroupSpread, ...]]:
    """FMR and FNMR of each group, and the spread between the groups of each column.

    Args:
        draws: of the scores.
        groups: by column, ``(n,)`` the group of each pair, "" for none.
        threshold: τ for all.
        seed: of folds.

    Returns:
        A row per group, by name within its column, and a spread per column and rate where two groups or more have it. A published list of
        pairs, with folds of its own, gives each group its accuracy in the published way too: with a threshold of its own.
    """
    rows: list[GroupRates] = []
    spreads: list[GroupSpread] = []
    for column, values in groups.items():
        of = np.asarray(values)
        names = sorted(set(np.unique(of).tolist()) - {""})
        level = level_of_each(len(names))
        found = [_group(draws, column, name, of == name, threshold, level, seed) for name in names]
        rows += [item.rates for item in found]
        for rate in ("FMR", "FNMR"):
            of_each = {item.rates.group: item.fmr if rate == "FMR" else item.fnmr for item in found}
            there = {name: item for name, item in of_each.items() if item is not None and item.interval is not None}
            if len(there) > 1:
                spreads.append(_spread(column, rate, there))
    return tuple(rows), tuple(spreads)


def _group(
    draws: PeopleDraws, column: str, name: str, here: npt.NDArray[np.bool_], threshold: float, level: float, seed: int
) -> Group:
    scores = draws.scores
    under, finite = scores.distances < threshold, np.isfinite(scores.distances)
    fmr = draws.rates(under, here & ~scores.same & finite, (LEVEL, level))
    fnmr = draws.rates(~under, here & scores.same, (LEVEL, level))
    row = GroupRates(
        column,
        name,
        threshold,
        fmr[0] if fmr[0].trials else None,
        fnmr[0] if fnmr[0].trials else None,
        _accuracy(scores, here, seed),
    )
    return Group(row, fmr[1] if fmr[1].trials else None, fnmr[1] if fnmr[1].trials else None)


def _accuracy(scores: Scores, here: npt.NDArray[np.bool_], seed: int) -> KFoldAccuracy | None:
    if scores.folds is None:
        return None
    try:
        return k_fold(
            Scores(
                scores.distances[here],
                scores.same[here],
                scores.a[here],
                scores.b[here],
                scores.person_a[here],
                scores.person_b[here],
                folds=scores.folds[here],
            ),
            seed=seed,
        )
    except NotEnoughDataError:  # a fold of this group lacks one kind of pair
        return None


def _spread(column: str, rate: str, groups: Mapping[str, Rate]) -> GroupSpread:
    bounds = [(item.interval.low, item.interval.high) for item in groups.values() if item.interval is not None]
    values = [item.value for item in groups.values()]
    difference, interval = spread(values, bounds)
    order = sorted(groups, key=lambda name: groups[name].value)  # of equal groups two are named, not one twice
    return GroupSpread(column, rate, order[-1], order[0], difference, interval)

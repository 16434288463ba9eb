"""Identification, 1:K: ranks on a closed set, false positives and negatives on an open one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.metrics.arrays import as_distances


@dataclass(frozen=True, slots=True)
class OpenSetRates:
    """What a search does at a threshold.

    Attributes:
        fpir: share of searches of unknown people that name somebody.
        fnir: share of searches of enrolled people that do not name them first: nobody, or somebody else.
        misidentified: the part of `fnir` where somebody else is named.
        mated_searches, non_mated_searches: how many there were.
    """

    fpir: float
    fnir: float
    misidentified: float
    mated_searches: int
    non_mated_searches: int


def ranks_of_mates(
    distances: npt.NDArray[np.floating],
    gallery_people: npt.NDArray[np.integer],
    probe_people: npt.NDArray[np.integer],
) -> npt.NDArray[np.intp]:
    """The rank at which each probe's own person comes, every person by their nearest template.

    Args:
        distances: ``(probes, templates)``.
        gallery_people: ``(templates,)`` whose each is. probe_people: ``(probes,)``, all of them enrolled.

    Returns:
        ``(probes,)`` from 1. Ties are counted against the system: a stranger at the same distance comes first. A probe without a
        face (a row of ``inf``) ranks last.

    Raises:
        NotEnoughDataError: a probe whose person is not enrolled: that is an open-set search.
    """
    everybody, columns = np.unique(gallery_people, return_inverse=True)
    own = np.searchsorted(everybody, probe_people)
    if not np.isin(probe_people, everybody).all():
        raise NotEnoughDataError(
            expected="probes of enrolled people only",
            got="a probe of somebody else",
            advice="use open_set_rates for unknown people",
        )
    by_person = np.full((len(everybody), len(probe_people)), np.inf)
    np.minimum.at(by_person, columns, np.asarray(distances, dtype=np.float64).T)
    mate = by_person[own, np.arange(len(probe_people))]
    ranks: npt.NDArray[np.int_] = (by_person <= mate).sum(axis=0)  # the mate itself counts 1
    return ranks


def cmc(ranks: npt.ArrayLike, people: int) -> npt.NDArray[np.float64]:
    """The cumulative match characteristic: the share of searches whose person is among the first r.

    Args:
        ranks: ``(n,)`` from 1.
        people: enrolled.

    Returns:
        ``(people,)``; entry r − 1 is the rank-r rate. Never falls, ends at 1.

    >>> cmc([1, 1, 3, 2], 3).tolist()
    [0.5, 0.75, 1.0]
    """
    array = np.asarray(ranks)
    if array.size == 0:
        raise NotEnoughDataError(expected="at least one search", got="none", advice="give probes of enrolled people")
    return np.cumsum(np.bincount(array, minlength=people + 1)[1:]) / array.size


def open_set_rates(
    mate: npt.ArrayLike, nearest_other: npt.ArrayLike, nearest_of_unknown: npt.ArrayLike, threshold: float
) -> OpenSetRates:
    """FPIR and FNIR of *name the nearest person when their distance is under τ*.

    Args:
        mate: ``(n,)`` for each search of an enrolled person the distance to them.
        nearest_other: ``(n,)`` in the same searches the nearest of everybody else (``inf`` when nobody else is enrolled).
        nearest_of_unknown: ``(u,)`` for each search of an unknown person the nearest of all.
        threshold: τ.

    Source: NIST FRTE 1:N, FPIR(N, T) and FNIR(N, R = 1, T); ties count against the system.

    >>> open_set_rates([0.3, 0.7], [0.5, 0.4], [0.55, 0.9], 0.6)
    OpenSetRates(fpir=0.5, fnir=0.5, misidentified=0.5, mated_searches=2, non_mated_searches=2)
    """
    own = as_distances(mate, kind="mated search")
    other = as_distances(nearest_other, kind="mated search")
    unknown = as_distances(nearest_of_unknown, kind="non-mated search")
    found = (own < threshold) & (own < other)
    wrong = (other < threshold) & (other <= own)
    return OpenSetRates(
        fpir=float(np.count_nonzero(unknown < threshold) / unknown.size),
        fnir=float(1 - np.count_nonzero(found) / own.size),
        misidentified=float(np.count_nonzero(wrong) / own.size),
        mated_searches=own.size,
        non_mated_searches=unknown.size,
    )

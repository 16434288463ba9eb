"""Intervals where photos and people are reused: the bootstrap draws people, not pairs.

Pairs that share a person are not independent trials: one "wolf" whom many resemble makes many false matches at once. Drawing whole people,
with all their pairs, keeps that dependence; drawing pairs would hide it and give intervals far too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.types import Interval

METHOD = "bootstrap over people"


def people_weights(people: int, replicates: int = 1000, *, seed: int = 0) -> Iterator[npt.NDArray[np.intp]]:
    """How often each person is drawn, replicate after replicate.

    Args:
        people: how many there are.
        replicates: how many times to draw as many people, with replacement.

    Yields:
        ``(people,)`` counts that sum to `people`. A mated pair of person i counts ``w[i]`` times, a non-mated pair of i and j
        ``w[i]·w[j]`` times; two draws of one person never make a non-mated pair.
    """
    generator = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(generator.integers(0, people, people), minlength=people)


def bootstrap_interval(
    rate: Callable[[npt.NDArray[np.intp]], float],
    people: int,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a rate under draws of people.

    Args:
        rate: the rate for given counts per person; NaN where a draw leaves no trials, which is skipped.
        people: how many there are.
        replicates, level, seed: as usual; the same seed gives the same interval.

    Raises:
        NotEnoughDataError: fewer than two people, or no draw gave a rate.

    >>> errors, pairs = np.array([0, 1, 0, 0]), np.array([2, 2, 2, 2])
    >>> interval = bootstrap_interval(lambda w: float((w * errors).sum() / (w * pairs).sum()), 4)
    >>> interval.low, interval.high
    (0.0, 0.375)
    """
    values = np.array([rate(w) for w in people_weights(people, replicates, seed=seed)]) if people > 1 else np.array([])
    values = values[~np.isnan(values)]
    if values.size == 0:
        raise NotEnoughDataError(
            expected="at least two people to draw", got=str(people), advice="give photos of more people"
        )
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, METHOD)

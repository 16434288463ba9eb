"""Two systems on the same pairs: which decides rightly where the other does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError


@dataclass(frozen=True, slots=True)
class PairedDecisions:
    """How often two systems were right about the same trials.

    Attributes:
        both, only_first, only_second, neither: counts of trials.
        p_value: two-sided exact probability of so uneven a split of the disagreements between equally good systems (McNemar's test).
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def paired_decisions(first_right: npt.ArrayLike, second_right: npt.ArrayLike) -> PairedDecisions:
    """Compare two systems trial by trial; far sharper than comparing two accuracies.

    Args:
        first_right, second_right: ``(n,)`` whether each system decided each trial rightly.

    Raises:
        DataError: other shapes.

    Source: McNemar 1947, in its exact form: of n disagreements, those for one side are binomial(n, ½).

    >>> paired_decisions([True, True, True, False], [True, False, False, False])
    PairedDecisions(both=1, only_first=2, only_second=0, neither=1, p_value=0.5)
    """
    first, second = np.asarray(first_right, dtype=bool), np.asarray(second_right, dtype=bool)
    if first.ndim != 1 or first.shape != second.shape:
        raise DataError(
            expected="two lists of decisions about the same trials",
            got=f"shapes {first.shape} and {second.shape}",
            advice="score the same pairs with both",
        )
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(~first & second))
    return PairedDecisions(
        both=int(np.count_nonzero(first & second)),
        only_first=only_first,
        only_second=only_second,
        neither=int(np.count_nonzero(~first & ~second)),
        p_value=_two_sided(min(only_first, only_second), only_first + only_second),
    )


def _two_sided(fewer: int, total: int) -> float:
    """``min(1, 2 · P(X ≤ fewer))`` for X binomial(total, ½), in whole numbers until the last division."""
    ways = sum(math.comb(total, count) for count in range(fewer + 1))
    return min(1.0, float(2 * ways / 2**total))

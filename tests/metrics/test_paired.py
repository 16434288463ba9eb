from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from sameface.errors import DataError
from sameface.metrics.paired import paired_decisions


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (1, 0), (7, 2), (2, 7), (30, 30), (400, 300)])
def test_counts_and_probability_against_scipy(only_first: int, only_second: int) -> None:
    first = np.array([1] * 50 + [1] * only_first + [0] * only_second + [0] * 3, bool)
    second = np.array([1] * 50 + [0] * only_first + [1] * only_second + [0] * 3, bool)
    order = np.random.default_rng(0).permutation(len(first))
    found = paired_decisions(first[order], second[order])
    assert (found.both, found.only_first, found.only_second, found.neither) == (50, only_first, only_second, 3)
    total = only_first + only_second
    assert found.p_value == pytest.approx(binomtest(only_first, total).pvalue if total else 1.0)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(DataError):
        paired_decisions([True], [True, False])

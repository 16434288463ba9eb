"""CMC, FPIR and FNIR against the plain loop over everybody."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import NotEnoughDataError
from sameface.metrics import cmc, open_set_rates, ranks_of_mates, threshold_at_fpir


@given(seed=st.integers(0, 10_000))
def test_ranks_and_rates_equal_a_plain_loop(seed: int) -> None:
    generator = np.random.default_rng(seed)
    templates, probes = generator.integers(1, 12), generator.integers(1, 9)
    gallery = generator.integers(0, 5, templates)
    known = generator.choice(gallery, probes)
    table = generator.integers(0, 8, (probes, templates)) / 8
    ranks = ranks_of_mates(table, gallery, known)
    for row, (person, rank) in enumerate(zip(known, ranks, strict=True)):
        best = {p: min(d for d, q in zip(table[row], gallery, strict=True) if q == p) for p in set(gallery.tolist())}
        assert rank == 1 + sum(best[p] <= best[person] for p in best if p != person)

    threshold = 0.5
    mate = np.array([table[i][gallery == known[i]].min() for i in range(probes)])
    other = np.array(
        [
            min([d for d, q in zip(table[i], gallery, strict=True) if q != known[i]], default=math.inf)
            for i in range(probes)
        ]
    )
    named_right = named_wrong = 0
    for own, foreign in zip(mate, other, strict=True):
        if min(own, foreign) < threshold:
            named_right += own < foreign
            named_wrong += foreign <= own
    rates = open_set_rates(mate, other, table.min(axis=1), threshold)
    assert rates.fnir == pytest.approx(1 - named_right / probes)
    assert rates.misidentified == pytest.approx(named_wrong / probes)
    assert rates.fpir == pytest.approx(np.mean([min(row) < threshold for row in table]))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=30))
def test_cmc_rises_to_one(ranks: list[int]) -> None:
    curve = cmc(ranks, 6)
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == pytest.approx(1)
    assert curve[0] == pytest.approx(ranks.count(1) / len(ranks))


def test_probe_without_a_face_ranks_last_and_strangers_are_refused() -> None:
    table = np.array([[0.1, 0.5, 0.9], [math.inf] * 3])
    assert ranks_of_mates(table, np.array([7, 8, 9]), np.array([7, 7])).tolist() == [1, 3]
    with pytest.raises(NotEnoughDataError):
        ranks_of_mates(table, np.array([7, 8, 9]), np.array([7, 1]))


@given(st.lists(st.integers(0, 10).map(float), min_size=1, max_size=50), st.floats(0, 0.99))
def test_threshold_at_fpir_keeps_it(nearest: list[float], target: float) -> None:
    threshold = threshold_at_fpir(nearest, target)
    assert open_set_rates([0.0], [1.0], nearest, threshold).fpir <= target

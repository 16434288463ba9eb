"""Weights part of the way, by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from sameface.training.loop.blending import best_blend, blended  # noqa: E402
from sameface.training.loop.validation import Validation  # noqa: E402


def one_weight(value: float) -> torch.nn.Linear:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, value)
    return network


def test_part_of_the_way_by_hand() -> None:
    start, now = (
        {"w": torch.tensor([0.0, 4.0]), "n": torch.tensor(1)},
        {"w": torch.tensor([2.0, 8.0]), "n": torch.tensor(5)},
    )
    half = blended(start, now, 0.5)
    assert (half["w"].tolist(), int(half["n"])) == ([1.0, 6.0], 5)


@pytest.mark.parametrize(("allowed", "kept"), [(10.0, 10.0), (8.0, 7.5), (7.0, 5.0), (4.0, 3.0)])
def test_of_equals_the_furthest_that_is_allowed_is_kept_and_the_network_stays(allowed: float, kept: float) -> None:
    network, seen = one_weight(10.0), []

    def judge() -> Validation:
        weight = float(network.weight.detach())
        seen.append(weight)
        return Validation(0.0, 0.0, 1.0, judged=0.1 if weight <= allowed else float("inf"))

    found, weights = best_blend(network, {"weight": torch.zeros(1, 1)}, judge)
    assert found.error == 0.1
    assert float(weights["weight"]) == pytest.approx(kept)
    assert seen == pytest.approx([10.0, 7.5, 5.0, 3.0][: len(seen)])
    assert seen.index(pytest.approx(kept)) in {len(seen) - 2, 3}  # one share further back was no better
    assert float(network.weight.detach()) == 10.0


def test_allowed_all_the_way_a_share_of_it_that_is_better_is_kept() -> None:
    """SFace at a rate of 1e-4: the whole way is allowed and gains 1.5 points, half of it gains 2.0."""
    missed = {10.0: 0.0749, 7.5: 0.0705, 5.0: 0.0705, 3.0: 0.0729}
    network, seen = one_weight(10.0), []

    def judge() -> Validation:
        seen.append(round(float(network.weight.detach()), 3))
        return Validation(0.0, 0.0, 1.0, judged=missed[seen[-1]])

    found, weights = best_blend(network, {"weight": torch.zeros(1, 1)}, judge)
    assert (found.error, float(weights["weight"])) == (0.0705, 7.5)
    assert seen == [10.0, 7.5, 5.0]


def test_where_nothing_is_allowed_that_is_said() -> None:
    found, _ = best_blend(
        one_weight(1.0), {"weight": torch.zeros(1, 1)}, lambda: Validation(0.0, 0.0, 1.0, judged=float("inf"))
    )
    assert found.error == float("inf")

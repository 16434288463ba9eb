"""Miners against loops over every triplet."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sameface.errors import SettingError  # noqa: E402
from sameface.training.distances import sq_distances_within  # noqa: E402
from sameface.training.mining import Triplets, sum_of_all_triplets, triplet_miner  # noqa: E402
from sameface.training.mining.distance_weighted import DistanceWeighted  # noqa: E402

MARGIN = 0.2


def random_batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Uneven on purpose: people with one, two, three and five photos."""
    random = np.random.default_rng(seed)
    labels = torch.tensor([0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3])[torch.from_numpy(random.permutation(11))]
    vectors = torch.from_numpy(random.normal(size=(11, 3)))
    return sq_distances_within(torch.nn.functional.normalize(vectors, dim=1)), labels


def pairs(labels: torch.Tensor) -> list[tuple[int, int]]:
    n = len(labels)
    return [(a, p) for a in range(n) for p in range(n) if a != p and labels[a] == labels[p]]


def as_set(picked: Triplets) -> set[tuple[int, int, int]]:
    return set(zip(picked.anchors.tolist(), picked.positives.tolist(), picked.negatives.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_hard_takes_the_nearest_other_person_for_every_pair(seed: int) -> None:
    d, labels = random_batch(seed)
    expected = {
        (a, p, min((n for n in range(11) if labels[n] != labels[a]), key=lambda n, a=a: float(d[a, n])))
        for a, p in pairs(labels)
    }
    assert as_set(triplet_miner("hard", margin=MARGIN)(d, labels)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_semi_hard_takes_the_nearest_beyond_the_positive_within_the_margin(seed: int) -> None:
    d, labels = random_batch(seed)
    expected = set()
    for a, p in pairs(labels):
        within = [n for n in range(11) if labels[n] != labels[a] and d[a, p] < d[a, n] < d[a, p] + MARGIN]
        if within:
            expected.add((a, p, min(within, key=lambda n, a=a: float(d[a, n]))))
    picked = triplet_miner("semi-hard", margin=MARGIN)(d, labels)
    assert as_set(picked) == expected
    assert picked.considered == len(pairs(labels))


@pytest.mark.parametrize("seed", range(5))
def test_batch_hard_takes_one_triplet_an_anchor(seed: int) -> None:
    d, labels = random_batch(seed)
    expected = set()
    for a in range(11):
        positives = [p for p in range(11) if p != a and labels[p] == labels[a]]
        negatives = [n for n in range(11) if labels[n] != labels[a]]
        if positives:
            expected.add(
                (
                    a,
                    max(positives, key=lambda p, a=a: float(d[a, p])),
                    min(negatives, key=lambda n, a=a: float(d[a, n])),
                )
            )
    assert as_set(triplet_miner("batch-hard", margin=MARGIN)(d, labels)) == expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("margin", [0.0, 0.2, 10.0])
def test_the_sum_over_all_triplets_equals_the_list(seed: int, margin: float) -> None:
    d, labels = random_batch(seed)
    terms = [float(d[a, p] - d[a, n]) + margin for a, p in pairs(labels) for n in range(11) if labels[n] != labels[a]]
    total, active, considered = sum_of_all_triplets(d, labels, margin)
    assert float(total) == pytest.approx(sum(max(0.0, term) for term in terms), abs=1e-9)
    assert (active, considered) == (sum(term > 0 for term in terms), len(terms))


def test_distance_weighted_follows_the_density_of_the_sphere() -> None:
    """Weights of a batch with known distances, by the formula q(d) ∝ d^(n−2) (1 − d²/4)^((n−3)/2)."""
    labels = torch.tensor([0, 0, 1, 2, 3])
    distances = np.array([0.0, 0.3, 0.4, 0.9, 1.3])  # from anchor 0; 0.4 counts as 0.5
    d = torch.zeros(5, 5, dtype=torch.float64)
    d[0], d[:, 0] = torch.from_numpy(distances**2), torch.from_numpy(distances**2)
    n = 8

    def inverse_density(x: float) -> float:
        return 1 / (x ** (n - 2) * (1 - x * x / 4) ** ((n - 3) / 2))

    expected = np.array([inverse_density(max(x, 0.5)) for x in distances[2:]])
    weights = DistanceWeighted(n).weights(d, labels)[0]
    np.testing.assert_allclose(weights[2:].numpy(), expected / expected.sum(), atol=1e-12)
    assert weights[:2].tolist() == [0, 0]


def test_distance_weighted_draws_negatives_as_often_as_it_says() -> None:
    torch.manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(8, 4, dtype=torch.float64), dim=1)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    d = sq_distances_within(vectors)
    miner = DistanceWeighted(4)
    counts = torch.zeros(8)
    for _ in range(1000):
        picked = miner(d, labels)
        counts[picked.negatives[picked.anchors == 0]] += 1
    np.testing.assert_allclose((counts / counts.sum()).numpy(), miner.weights(d, labels)[0].numpy(), atol=0.04)


@pytest.mark.parametrize("name", ["hard", "semi-hard", "batch-hard", "distance-weighted"])
@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_nothing_to_mine_gives_no_triplets(name: str, labels: list[int]) -> None:
    d = sq_distances_within(torch.nn.functional.normalize(torch.randn(4, 3), dim=1))
    assert len(triplet_miner(name, margin=MARGIN)(d, torch.tensor(labels)).anchors) == 0


def test_memory_is_quadratic_in_the_batch() -> None:
    """A list of all triplets of 2,000 photos would need 2000³ · 8 bytes = 64 GB."""
    labels = torch.arange(1000).repeat_interleave(2)
    vectors = torch.nn.functional.normalize(torch.randn(2000, 8), dim=1)
    d = sq_distances_within(vectors)
    for name in ("hard", "semi-hard", "batch-hard", "distance-weighted"):
        assert len(triplet_miner(name, margin=MARGIN)(d, labels).anchors) <= 2000
    assert sum_of_all_triplets(d, labels, MARGIN)[2] == 2000 * 1998


def test_an_unknown_miner_is_refused() -> None:
    with pytest.raises(SettingError, match="semi-hard"):
        triplet_miner("hardest", margin=MARGIN)

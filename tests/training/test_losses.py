"""Losses against plain float64 loops written from the formulas, values and gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sameface.errors import SettingError  # noqa: E402
from sameface.training.losses import (  # noqa: E402
    ContrastiveLoss,
    KochLoss,
    TripletLoss,
    contrastive_loss,
    koch_loss,
    make_loss,
    triplet_loss,
)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Twelve unit vectors of four people, three each."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(12, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return torch.tensor(vectors, requires_grad=True), torch.arange(4).repeat_interleave(3)


def numeric_gradient(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = 1e-6
        gradient[index] = (function(at + step) - function(at - step)) / 2e-6
    return gradient


def loop_over_all_triplets(x: np.ndarray, labels: list[int], margin: float) -> tuple[float, int, int, np.ndarray]:
    """Sum, active, number, and the gradient by its own formula: 2(N − P), 2(P − A), 2(A − N)."""
    total, active, number = 0.0, 0, 0
    gradient = np.zeros_like(x)
    for a in range(len(x)):
        for p in range(len(x)):
            for n in range(len(x)):
                if a == p or labels[a] != labels[p] or labels[a] == labels[n]:
                    continue
                number += 1
                term = sum((x[a] - x[p]) ** 2) - sum((x[a] - x[n]) ** 2) + margin
                if term > 0:
                    total += term
                    active += 1
                    gradient[a] += 2 * (x[n] - x[p])
                    gradient[p] += 2 * (x[p] - x[a])
                    gradient[n] += 2 * (x[a] - x[n])
    return total, active, number, gradient


def test_triplet_formula_is_the_sum_by_hand() -> None:
    anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    positives = torch.tensor([[0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    negatives = torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    # 2 − 4 + 0.2 < 0; 0 − 2 + 0.2 < 0; with the roles of the first swapped: 4 − 2 + 0.2.
    assert float(triplet_loss(anchors, positives, negatives)) == 0
    swapped = triplet_loss(anchors[:1], negatives[:1], positives[:1])
    assert float(swapped) == pytest.approx(2.2, abs=1e-12)
    both = triplet_loss(
        torch.cat([anchors[:1], anchors]),
        torch.cat([negatives[:1], positives]),
        torch.cat([positives[:1], negatives]),
        reduction="none",
    )
    assert both.tolist() == pytest.approx([2.2, 0, 0])


@pytest.mark.parametrize(("reduction", "expected"), [("sum", 2.2), ("mean", 1.1), ("active", 2.2)])
def test_triplet_reductions(reduction: str, expected: float) -> None:
    a, p, n = torch.eye(4)[:1].repeat(2, 1), torch.eye(4)[1:3], -torch.eye(4)[:1].repeat(2, 1)
    value = triplet_loss(a, torch.stack([n[0], p[0]]), torch.stack([p[0], n[0]]), reduction=reduction)
    assert float(value) == pytest.approx(expected, abs=1e-6)


def test_triplet_loss_over_all_triplets_equals_the_loop(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, labels = batch
    report = TripletLoss(margin=0.2, mining="all")(x, labels)
    report.value.backward()
    total, active, number, gradient = loop_over_all_triplets(x.detach().numpy(), labels.tolist(), 0.2)
    assert (report.active, report.considered) == (active, number)
    assert float(report.value.detach()) == pytest.approx(total / active, abs=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), gradient / active, atol=1e-9)


def test_triplet_loss_of_a_collapsed_batch_stands_at_the_margin() -> None:
    report = TripletLoss(margin=0.2, mining="batch-hard")(torch.ones(6, 4), torch.arange(3).repeat(2))
    assert float(report.value.detach()) == pytest.approx(0.2)
    assert report.active_share == 1


def test_contrastive_formula_by_hand() -> None:
    # ½ d² for the same person; ½ (m − d)² for others within the margin; nothing beyond.
    terms = contrastive_loss(torch.tensor([0.6, 0.6, 1.5]), torch.tensor([True, False, False]), margin=1.0)
    assert terms.tolist() == pytest.approx([0.18, 0.08, 0.0])


def test_contrastive_loss_equals_a_loop(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, labels = batch

    def loop(values: np.ndarray) -> float:
        same_terms, other_terms = [], []
        for i in range(len(values)):
            for j in range(i + 1, len(values)):
                d = math.sqrt(sum((values[i] - values[j]) ** 2))
                if labels[i] == labels[j]:
                    same_terms.append(0.5 * d * d)
                else:
                    other_terms.append(0.5 * max(0.0, 1.3 - d) ** 2)
        return sum(same_terms) / len(same_terms) + sum(other_terms) / len(other_terms)

    report = ContrastiveLoss(margin=1.3)(x, labels)
    report.value.backward()
    assert float(report.value.detach()) == pytest.approx(loop(x.detach().numpy()), abs=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), numeric_gradient(loop, x.detach().numpy()), atol=1e-8)
    assert report.considered == 12 * 11 // 2


def test_contrastive_hard_mining_keeps_the_nearest_others(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, labels = batch
    report = ContrastiveLoss(margin=2.0, mining="hard")(x, labels)
    assert report.considered == 24  # 4 people × 3 pairs, and as many of the others
    assert float(report.value.detach()) > float(ContrastiveLoss(margin=2.0)(x, labels).value.detach())


def test_contrastive_gradient_is_finite_for_equal_embeddings() -> None:
    x = torch.zeros(4, 3, requires_grad=True)
    ContrastiveLoss()(x, torch.tensor([0, 0, 1, 1])).value.backward()
    assert torch.isfinite(x.grad).all()


def test_koch_formula_by_hand() -> None:
    # p = σ(0) = ½ and σ(2) = 0.8808: −ln ½, −ln 0.8808, −ln 0.1192
    terms = koch_loss(torch.tensor([0.0, 2.0, 2.0]), torch.tensor([1, 1, 0]))
    assert terms.tolist() == pytest.approx([0.693147, 0.126928, 2.126928], abs=1e-5)


def test_koch_loss_equals_a_loop(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, labels = batch
    loss = KochLoss(6).double()
    with torch.no_grad():
        loss.weight.copy_(torch.linspace(-2, 1, 6))
        loss.bias.fill_(0.3)
    weight = np.linspace(-2, 1, 6)

    def loop(values: np.ndarray) -> float:
        same_terms, other_terms = [], []
        for i in range(len(values)):
            for j in range(i + 1, len(values)):
                p = 1 / (1 + math.exp(-(float(np.abs(values[i] - values[j]) @ weight) + 0.3)))
                (same_terms if labels[i] == labels[j] else other_terms).append(
                    -math.log(p) if labels[i] == labels[j] else -math.log(1 - p)
                )
        return (sum(same_terms) / len(same_terms) + sum(other_terms) / len(other_terms)) / 2

    report = loss(x, labels)
    report.value.backward()
    assert float(report.value.detach()) == pytest.approx(loop(x.detach().numpy()), abs=1e-7)
    np.testing.assert_allclose(x.grad.numpy(), numeric_gradient(loop, x.detach().numpy()), atol=1e-7)


def test_equals_pytorch_metric_learning_where_the_formulas_coincide(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    from pytorch_metric_learning import distances, losses, reducers

    x, labels = batch
    theirs = losses.TripletMarginLoss(
        margin=0.2,
        distance=distances.LpDistance(normalize_embeddings=False, power=2),
        reducer=reducers.AvgNonZeroReducer(),
    )(x, labels)
    ours = TripletLoss(margin=0.2, mining="all")(x, labels).value
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), abs=1e-9)

    # Its contrastive loss has no squares and no halves: theirs is max(0, d − 0) and max(0, m − d), each averaged over
    # the non-zero terms. Our terms from its own distances give the same sums after undoing the square.
    matrix = torch.cdist(x, x)
    first, second = torch.triu_indices(12, 12, offset=1)
    same = labels[first] == labels[second]
    terms = contrastive_loss(matrix[first, second], same, margin=1.0)
    unsquared = (2 * terms).sqrt()
    mean = sum(part[part > 0].mean() for part in (unsquared[same], unsquared[~same]) if (part > 0).any())
    distance = distances.LpDistance(normalize_embeddings=False)
    theirs = losses.ContrastiveLoss(pos_margin=0, neg_margin=1, distance=distance)(x, labels)
    assert float(mean.detach()) == pytest.approx(float(theirs.detach()), abs=1e-9)


@pytest.mark.parametrize(
    "name", ["SupConLoss", "MultiSimilarityLoss", "TripletMarginLoss", "ArcFaceLoss", "ProxyAnchorLoss"]
)
def test_losses_of_pytorch_metric_learning_by_name(batch: tuple[torch.Tensor, torch.Tensor], name: str) -> None:
    x, labels = batch
    loss = make_loss(name, dimension=6, people=4)
    report = loss(x.float(), labels)
    report.value.backward()
    assert torch.isfinite(x.grad).all()
    assert report.considered == 12


@pytest.mark.parametrize("loss", ["triplet", "contrastive", "koch"])
@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_a_batch_without_usable_pairs_costs_nothing_and_does_not_break(loss: str, labels: list[int]) -> None:
    x = torch.nn.functional.normalize(torch.randn(3, 4), dim=1).requires_grad_()
    value = make_loss(loss, dimension=4, people=3)(x, torch.tensor(labels)).value
    value.backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("arguments"),
    [
        {"name": "tripplet"},
        {"name": "koch", "margin": 1.0},
        {"name": "SupConLoss", "mining": "hard"},
        {"name": "SupConLoss", "settings": {"temprature": 0.1}},
        {"name": "triplet", "mining": "hardest"},
        {"name": "contrastive", "mining": "semi-hard"},
        {"name": "triplet", "settings": {"a": 1}},
    ],
)
def test_what_a_loss_does_not_have_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        make_loss(dimension=4, people=3, **arguments)

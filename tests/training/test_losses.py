"""Losses against plain float64 loops written from the formulas, values and gradients."""

from __future__ import annotations

import math

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
from sameface.training.losses.metric_learning import NOT_FOR_LABELS  # noqa: E402


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Twelve unit vectors of four people, three each."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(12, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return torch.tensor(vectors, requires_grad=True), torch.arange(4).repeat_interleave(3)


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


def test_triplet_formula_equals_a_loop_over_given_triplets(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, _ = batch
    random = np.random.default_rng(8)
    chosen = random.integers(0, 12, size=(40, 3))
    value = triplet_loss(*(x[torch.from_numpy(column)] for column in chosen.T), margin=0.2)
    value.backward()
    vectors = x.detach().numpy()
    total, gradient = 0.0, np.zeros_like(vectors)
    for a, p, n in chosen:
        term = sum((vectors[a] - vectors[p]) ** 2) - sum((vectors[a] - vectors[n]) ** 2) + 0.2
        if term > 0:
            total += term
            gradient[a] += 2 * (vectors[n] - vectors[p])
            gradient[p] += 2 * (vectors[p] - vectors[a])
            gradient[n] += 2 * (vectors[a] - vectors[n])
    assert total > 0
    assert float(value.detach()) == pytest.approx(total, abs=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), gradient, rtol=0, atol=1e-9)


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
    np.testing.assert_allclose(x.grad.numpy(), gradient / active, rtol=0, atol=1e-9)


def test_triplet_loss_of_a_collapsed_batch_stands_at_the_margin() -> None:
    report = TripletLoss(margin=0.2, mining="batch-hard")(torch.ones(6, 4), torch.arange(3).repeat(2))
    assert float(report.value.detach()) == pytest.approx(0.2)
    assert report.active_share == 1


def test_contrastive_formula_by_hand() -> None:
    # ½ d² for the same person; ½ (m − d)² for others within the margin; nothing beyond.
    terms = contrastive_loss(torch.tensor([0.6, 0.6, 1.5]), torch.tensor([True, False, False]), margin=1.0)
    assert terms.tolist() == pytest.approx([0.18, 0.08, 0.0])


def loop_over_pairs(x: np.ndarray, labels: list[int], margin: float) -> tuple[float, np.ndarray]:
    """Mean over same pairs plus mean over different pairs; the gradient of ½ D² is a − b, that of ½ (m − D)² is
    −(m − D) (a − b) / D."""
    terms: dict[bool, list[float]] = {True: [], False: []}
    gradients = {same: np.zeros_like(x) for same in terms}
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            same = labels[i] == labels[j]
            d = math.sqrt(sum((x[i] - x[j]) ** 2))
            terms[same].append(0.5 * d * d if same else 0.5 * max(0.0, margin - d) ** 2)
            slope = (x[i] - x[j]) * (1.0 if same else -max(0.0, margin - d) / d)
            gradients[same][i] += slope
            gradients[same][j] -= slope
    value = sum(sum(part) / len(part) for part in terms.values())
    return value, sum(gradients[same] / len(terms[same]) for same in terms)


def test_contrastive_loss_equals_a_loop(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, labels = batch
    report = ContrastiveLoss(margin=1.3)(x, labels)
    report.value.backward()
    value, gradient = loop_over_pairs(x.detach().numpy(), labels.tolist(), 1.3)
    assert float(report.value.detach()) == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), gradient, rtol=0, atol=1e-9)
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
    """Of values, and of the gradients of embeddings, weights and bias: dL/dz = p − s, z = w·|a − b| + bias."""
    x, labels = batch
    loss = KochLoss(6).double()
    weight, bias = np.linspace(-2, 1, 6), 0.3
    with torch.no_grad():
        loss.weight.copy_(torch.from_numpy(weight))
        loss.bias.fill_(bias)
    report = loss(x, labels)
    report.value.backward()

    vectors = x.detach().numpy()
    terms: dict[bool, list[float]] = {True: [], False: []}
    gradients = {same: [np.zeros_like(vectors), np.zeros(6), 0.0] for same in terms}
    for i in range(12):
        for j in range(i + 1, 12):
            same = bool(labels[i] == labels[j])
            apart = vectors[i] - vectors[j]
            p = 1 / (1 + math.exp(-(float(np.abs(apart) @ weight) + bias)))
            terms[same].append(-math.log(p if same else 1 - p))
            slope = p - same
            own = gradients[same]
            own[0][i] += slope * weight * np.sign(apart)
            own[0][j] -= slope * weight * np.sign(apart)
            own[1] += slope * np.abs(apart)
            own[2] += slope
    value = sum(sum(part) / len(part) for part in terms.values()) / 2
    expected = [sum(gradients[same][k] / len(terms[same]) for same in terms) / 2 for k in range(3)]
    assert float(report.value.detach()) == pytest.approx(value, abs=1e-9)
    found = (x.grad, loss.weight.grad, loss.bias.grad)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=1e-9)


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
    (our_gradient,), (their_gradient,) = (torch.autograd.grad(value, x) for value in (ours, theirs))
    torch.testing.assert_close(our_gradient, their_gradient, rtol=0, atol=1e-9)

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


def names_there() -> list[str]:
    from pytorch_metric_learning import losses

    return sorted(name for name in dir(losses) if name.endswith("Loss") and not name.startswith("Base"))


@pytest.mark.parametrize("name", sorted(set(names_there()) - set(NOT_FOR_LABELS)))
@pytest.mark.filterwarnings("ignore")  # that library's own
def test_every_loss_of_pytorch_metric_learning_by_name(batch: tuple[torch.Tensor, torch.Tensor], name: str) -> None:
    x, labels = batch
    needed = {"RankedListLoss": {"margin": 0.4, "Tn": 1}}  # what has no default there
    loss = make_loss(name, dimension=6, people=4, settings=needed.get(name))
    report = loss(x.float(), labels)
    report.value.backward()
    assert torch.isfinite(x.grad).all()
    assert report.considered == 12


@pytest.mark.parametrize("name", NOT_FOR_LABELS)
def test_losses_there_that_learn_from_no_labels_are_refused(name: str) -> None:
    assert name in names_there()
    with pytest.raises(SettingError, match=r"labels|base"):
        make_loss(name, dimension=6, people=4)


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

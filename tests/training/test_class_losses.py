"""Softmax with margins against pytorch-metric-learning and plain loops, in float64, values and gradients."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from pytorch_metric_learning import losses as other  # type: ignore[import-untyped]  # noqa: E402

from sameface.errors import SettingError  # noqa: E402
from sameface.training.loop.descent import Descent  # noqa: E402
from sameface.training.losses import make_loss  # noqa: E402
from sameface.training.losses.classes import AdaMargin, ClassLoss, class_loss  # noqa: E402

PEOPLE, DIMENSION, PHOTOS, SCALE = 7, 5, 12, 16.0


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Twelve embeddings of different lengths; labels repeat, and some people are missing."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(PHOTOS, DIMENSION, generator=random, dtype=torch.float64) * torch.linspace(0.5, 30, PHOTOS)[:, None]
    return x.requires_grad_(), torch.tensor([0, 0, 1, 1, 2, 2, 4, 4, 4, 6, 6, 0])


def ours(name: str, **settings: float) -> ClassLoss:
    torch.manual_seed(1)
    return class_loss(name, people=PEOPLE, dimension=DIMENSION, scale=SCALE, **settings).double()


def gradients(loss: torch.nn.Module, weight: torch.nn.Parameter, x: torch.Tensor, labels: torch.Tensor) -> list:
    value = loss(x, labels)
    value = value if isinstance(value, torch.Tensor) else value.value
    found = torch.autograd.grad(value, (x, weight))
    return [value.detach(), *(part.to_dense() for part in found)]


@pytest.mark.parametrize(
    ("name", "margin", "build"),
    [
        ("cosface", 0.35, lambda: other.CosFaceLoss(PEOPLE, DIMENSION, margin=0.35, scale=SCALE)),
        ("arcface", 0.5, lambda: other.ArcFaceLoss(PEOPLE, DIMENSION, margin=math.degrees(0.5), scale=SCALE)),
        # An angle of 1.2 sends many of these photos beyond π − m, where another formula rules.
        ("arcface", 1.2, lambda: other.ArcFaceLoss(PEOPLE, DIMENSION, margin=math.degrees(1.2), scale=SCALE)),
        ("softmax", None, lambda: other.CosFaceLoss(PEOPLE, DIMENSION, margin=0.0, scale=SCALE)),
    ],
)
def test_margins_equal_pytorch_metric_learning(name: str, margin: float | None, build: object) -> None:
    mine = ours(name) if margin is None else ours(name, margin=margin)
    theirs = build().double()  # type: ignore[operator]
    theirs.W.data = mine.centres.weight.detach().T.clone()
    x, labels = batch()
    value, by_x, by_weight = gradients(mine, mine.centres.weight, x, labels)
    value_, by_x_, by_weight_ = gradients(theirs, theirs.W, x, labels)
    torch.testing.assert_close(value, value_, rtol=0, atol=1e-6)
    torch.testing.assert_close(by_x, by_x_, rtol=0, atol=1e-6)
    torch.testing.assert_close(by_weight, by_weight_.T, rtol=0, atol=1e-6)


def test_sub_centres_equal_pytorch_metric_learning() -> None:
    mine = ours("arcface", margin=0.5, centres=3)
    theirs = other.SubCenterArcFaceLoss(
        num_classes=PEOPLE, embedding_size=DIMENSION, margin=math.degrees(0.5), scale=SCALE, sub_centers=3
    ).double()
    theirs.W.data = mine.centres.weight.detach().view(PEOPLE * 3, DIMENSION).T.clone()
    x, labels = batch()
    value, by_x, by_weight = gradients(mine, mine.centres.weight, x, labels)
    value_, by_x_, by_weight_ = gradients(theirs, theirs.W, x, labels)
    torch.testing.assert_close(value, value_, rtol=0, atol=1e-6)
    torch.testing.assert_close(by_x, by_x_, rtol=0, atol=1e-6)
    torch.testing.assert_close(by_weight.view(-1, DIMENSION), by_weight_.T, rtol=0, atol=1e-6)


def adaface_by_loop(x: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, mean: float, std: float) -> tuple:
    """The published code, photo by photo: m 0.4, h 0.333, running statistics with a memory of 0.01, ε 0.001."""
    lengths = [min(max(math.sqrt(sum(float(v) ** 2 for v in row)), 0.001), 100) for row in x.detach()]
    middle = sum(lengths) / len(lengths)
    scatter = math.sqrt(sum((length - middle) ** 2 for length in lengths) / (len(lengths) - 1))
    mean, std = 0.01 * middle + 0.99 * mean, 0.01 * scatter + 0.99 * std
    total = x.new_zeros(())
    for row, length, label in zip(x, lengths, labels.tolist(), strict=True):
        scaler = min(max((length - mean) / (std + 1e-3) * 0.333, -1), 1)
        logits = []
        for person, centre in enumerate(weight):
            cosine = (row @ centre) / (row.norm() * centre.norm())
            if person == label:
                angle = torch.acos(cosine.clamp(-1 + 1e-3, 1 - 1e-3)) - 0.4 * scaler
                cosine = torch.cos(angle.clamp(1e-3, math.pi - 1e-3)) - (0.4 + 0.4 * scaler)
            logits.append(SCALE * cosine)
        total = total + torch.logsumexp(torch.stack(logits), 0) - logits[label]
    return total / len(x), mean, std


def test_adaface_equals_a_loop_and_its_statistics_run() -> None:
    mine = ours("adaface")
    mean, std = 20.0, 100.0
    for seed in (0, 1):
        x, labels = batch(seed)
        value, by_x, by_weight = gradients(mine, mine.centres.weight, x, labels)
        expected, mean, std = adaface_by_loop(x, mine.centres.weight, labels, mean, std)
        by_x_, by_weight_ = torch.autograd.grad(expected, (x, mine.centres.weight))
        torch.testing.assert_close(value, expected.detach(), rtol=0, atol=1e-6)
        torch.testing.assert_close(by_x, by_x_, rtol=0, atol=1e-6)
        torch.testing.assert_close(by_weight, by_weight_, rtol=0, atol=1e-6)
        assert float(mine.margin.mean) == pytest.approx(mean, abs=1e-9)
        assert float(mine.margin.deviation) == pytest.approx(std, abs=1e-9)
    assert mine.needs_lengths
    assert not ours("arcface").needs_lengths


def test_a_photo_on_its_own_centre_has_a_finite_slope() -> None:
    loss = ours("arcface")
    x = loss.centres.weight.detach()[:2].clone().requires_grad_()
    x2 = (-loss.centres.weight.detach()[:2]).requires_grad_()
    for vectors in (x, x2):
        loss(vectors, torch.tensor([0, 1])).value.backward()
        assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize("name", ["softmax", "cosface", "arcface", "adaface"])
def test_all_people_drawn_equal_the_full_softmax(name: str) -> None:
    full = ours(name)
    sampled = ours(name, share=0.999)  # 7 of 7, by the way of the draw
    assert sampled.centres.drawn == PEOPLE
    sampled.centres.people, people = PEOPLE + 1, sampled.centres.people  # so that it draws
    assert sampled.centres.by_rows
    sampled.centres.draw = lambda labels: torch.arange(people)
    x, labels = batch()
    for a, b in zip(
        gradients(full, full.centres.weight, x, labels),
        gradients(sampled, sampled.centres.weight, x, labels),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_a_draw_is_a_softmax_over_the_people_drawn() -> None:
    loss = ours("cosface", share=0.75)
    x, labels = batch()
    torch.manual_seed(5)
    chosen = loss.centres.draw(labels).tolist()
    torch.manual_seed(5)
    value, _, by_weight = gradients(loss, loss.centres.weight, x, labels)
    assert len(chosen) == 6
    assert set(labels.tolist()) <= set(chosen)
    total = 0.0
    for row, label in zip(x.detach(), labels.tolist(), strict=True):
        cosines = [float(row @ w / (row.norm() * w.norm())) for w in loss.centres.weight.detach()[chosen]]
        own = chosen.index(label)
        logits = [SCALE * (c - 0.35 * (i == own)) for i, c in enumerate(cosines)]
        total += math.log(sum(math.exp(logit) for logit in logits)) - logits[own]
    assert float(value) == pytest.approx(total / PHOTOS, abs=1e-9)
    untouched = sorted(set(range(PEOPLE)) - set(chosen))
    assert not by_weight[untouched].any()


def test_a_draw_holds_the_batch_and_others_evenly() -> None:
    torch.manual_seed(0)
    centres = class_loss("arcface", people=50, dimension=4, share=0.2).centres
    labels = torch.tensor([3, 3, 48])
    counts = torch.zeros(50)
    for _ in range(4000):
        chosen = centres.draw(labels)
        assert len(chosen) == 10
        assert bool((chosen[1:] > chosen[:-1]).all())
        counts[chosen] += 1
    assert counts[[3, 48]].tolist() == [4000, 4000]
    others = torch.cat([counts[:3], counts[4:48], counts[49:]])
    # 8 of 48 others each time: 667 expected, 24 its deviation.
    assert others.min() > 667 - 5 * 24
    assert others.max() < 667 + 5 * 24
    crowd = torch.arange(30)
    assert centres.draw(crowd).tolist() == crowd.tolist()  # a batch of more people than are drawn: all of them


def test_active_counts_the_photos_nearer_to_others_than_their_margin_allows() -> None:
    loss = ours("cosface", margin=0.0)
    report = loss(loss.centres.weight.detach(), torch.arange(PEOPLE))
    assert (report.active, report.considered) == (0, PEOPLE)
    assert loss(loss.centres.weight.detach(), torch.arange(PEOPLE).roll(1)).active == PEOPLE


@pytest.mark.parametrize(
    "settings",
    [{"margin": -0.1}, {"margin": 2.0}, {"centres": 0}, {"share": 0.0}, {"share": 1.5}, {"scale": 0.0}],
)
def test_values_that_cannot_be_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        class_loss("arcface", **{"people": 5, "dimension": 4, **settings})


def test_softmax_has_no_margin() -> None:
    with pytest.raises(SettingError, match="without a margin"):
        class_loss("softmax", people=5, dimension=4, margin=0.3)


def test_losses_by_name_take_their_settings() -> None:
    loss = make_loss("arcface", dimension=8, people=100, margin=0.3, settings={"scale": 32, "centres": 3, "share": 0.1})
    assert isinstance(loss, ClassLoss)
    assert (loss.scale, loss.margin.margin, loss.centres.each, loss.centres.drawn) == (32.0, 0.3, 3, 10)
    plain = make_loss("adaface", dimension=8, people=100)
    assert isinstance(plain, ClassLoss)
    assert isinstance(plain.margin, AdaMargin)
    assert (plain.scale, plain.margin.margin, plain.centres.by_rows) == (64.0, 0.4, False)


@pytest.mark.parametrize(
    ("settings", "mining"),
    [
        ({"margin": 0.3}, None),
        ({"centres": 2.5}, None),
        ({"share": "half"}, None),
        ({"scale": True}, None),
        ({}, "hard"),
    ],
)
def test_settings_they_do_not_have_are_refused(settings: dict[str, object], mining: str | None) -> None:
    with pytest.raises(SettingError):
        make_loss("cosface", dimension=8, people=100, settings=settings, mining=mining)


def test_rows_that_were_not_drawn_stay_and_the_others_move_as_by_adam() -> None:
    loss = class_loss("arcface", people=40, dimension=4, share=0.25, scale=16)
    network = torch.nn.Linear(4, 4)
    descent = Descent(network, loss, learning_rate=0.1, weight_decay=0.0)
    before = loss.centres.weight.detach().clone()
    labels = torch.tensor([1, 1, 5])
    torch.manual_seed(2)
    chosen = loss.centres.draw(labels)
    torch.manual_seed(2)
    loss(network(torch.randn(3, 4, generator=torch.Generator().manual_seed(0))), labels).value.backward()
    assert loss.centres.weight.grad.is_sparse
    slopes = loss.centres.weight.grad.to_dense()
    assert all(not each.is_sparse for each in descent.gradients())
    descent.step(0.1)
    moved = loss.centres.weight.detach() - before
    others = torch.ones(40, dtype=torch.bool)
    others[chosen] = False
    assert not moved[others].any()
    # Adam's first step is the learning rate, against the sign of the slope; less by 3e-7 of it over the slope, for its ε is beside √(1 − β₂) of that.
    big = slopes.abs() > 1e-3
    assert bool(big.any())
    torch.testing.assert_close(moved[big], -0.1 * slopes[big].sign(), rtol=1e-3, atol=1e-4)


def test_descent_goes_on_from_its_state_and_refuses_another() -> None:
    torch.manual_seed(0)
    network = torch.nn.Linear(4, 4)
    drawn = class_loss("arcface", people=40, dimension=4, share=0.25)
    whole = class_loss("arcface", people=40, dimension=4)
    state = Descent(network, drawn, learning_rate=0.1, weight_decay=0.0).state_dict()
    Descent(network, drawn, learning_rate=0.1, weight_decay=0.0).load_state_dict(state)
    with pytest.raises(ValueError, match="row by row"):
        Descent(network, whole, learning_rate=0.1, weight_decay=0.0).load_state_dict(state)

"""The distillation loss beside a slow loop; and a batch's rows on their way to it."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sameface.errors import SettingError  # noqa: E402
from sameface.training.loop.descent import Descent  # noqa: E402
from sameface.training.loop.settings import TrainingSettings  # noqa: E402
from sameface.training.loop.trainer import Trainer  # noqa: E402
from sameface.training.losses import AnyLoss  # noqa: E402
from sameface.training.losses.distillation import Distillation, targets_of  # noqa: E402
from sameface.training.networks import NetworkSpec, build_network  # noqa: E402
from sameface.training.pictures import Pictures  # noqa: E402
from sameface.training.sampling import EveryPhoto  # noqa: E402


def test_the_loss_equals_a_slow_loop_and_its_gradient_too() -> None:
    random = torch.Generator().manual_seed(0)
    targets, rows = torch.randn(7, 3, generator=random), torch.tensor([5, 0, 5, 2])
    embeddings = torch.randn(4, 3, generator=random, requires_grad=True)
    report = Distillation(targets, weight=0.5)(embeddings, torch.zeros(4), rows)
    report.value.backward()
    length = np.mean([sum(float(x) ** 2 for x in target) for target in targets])
    terms = []
    for row, embedding in zip(rows.tolist(), embeddings.tolist(), strict=True):
        terms.append(sum((x - float(t)) ** 2 for x, t in zip(embedding, targets[row], strict=True)))
    assert float(report.value.detach()) == pytest.approx(0.5 * np.mean(terms) / length, rel=1e-5)
    expected = 0.5 * 2 * (embeddings.detach() - targets[rows]) / 4 / float(length)
    np.testing.assert_allclose(embeddings.grad.numpy(), expected.numpy(), rtol=1e-4)


def test_at_length_1_it_is_twice_one_minus_the_cosine() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    report = Distillation(vectors[:3])(vectors[3:], torch.zeros(3), torch.arange(3))
    cosines = (vectors[:3] * vectors[3:]).sum(dim=1)
    assert float(report.value) == pytest.approx(float((2 * (1 - cosines)).mean()), rel=1e-5)


def test_another_loss_is_added() -> None:
    targets = torch.eye(3)
    beside = AnyLoss(lambda embeddings, labels: 3 * embeddings.sum())
    embeddings = torch.ones(3, 3, requires_grad=True)
    both = Distillation(targets, beside=beside)(embeddings, torch.arange(3), torch.arange(3))
    alone = Distillation(targets)(embeddings, torch.arange(3), torch.arange(3))
    assert float((both.value - alone.value).detach()) == pytest.approx(27)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(SettingError):
        Distillation(torch.eye(2), weight=weight)


def test_pictures_without_a_teacher_cannot_be_distilled() -> None:
    with pytest.raises(SettingError, match="--weights"):
        targets_of(None)


def test_each_picture_of_a_batch_meets_its_own_target() -> None:
    """A linear network over two pixels learns any targets that are linear in them, if and only if rows and pictures go together."""
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.normal(0, 1, (40, 4)).astype(np.float32))
    targets = pixels @ torch.from_numpy(random.normal(0, 1, (4, 4)).astype(np.float32))
    pictures = Pictures(pixels, np.arange(40) % 5, tuple("abcde"), targets=targets)
    some = pictures.of_people([3, 1])
    assert torch.equal(some.targets, targets[[row for row in range(40) if row % 5 in {3, 1}]])
    spec = NetworkSpec("head", 0, 0, 4, unit_length=False, intake="none", options={"hidden": 64})
    trainer = Trainer(
        build_network(spec),
        Distillation(targets),
        pictures,
        TrainingSettings(steps=300, people=5, photos=4, learning_rate=1e-2, warmup=0, validate_every=0, averaging=0.0),
        sampler=EveryPhoto(40, batch_size=20),
    )

    def error() -> float:
        with torch.no_grad():
            return float((trainer.network.eval().embed(pixels) - targets).square().mean())

    before = error()
    trainer.run()
    assert error() < 0.05 * before


def test_weights_learn_at_their_share_of_the_rate() -> None:
    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.low, self.high = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))

        def rate_shares(self) -> dict[torch.nn.Parameter, float]:
            return {self.low: 0.25}

    two = Two()
    descent = Descent(two, torch.nn.Module(), learning_rate=0.1, weight_decay=0.0)
    two.low.grad, two.high.grad = torch.ones(1), torch.ones(1)
    descent.step(0.2)  # AdamW's first step is the rate itself
    assert (float(two.low.detach()), float(two.high.detach())) == (pytest.approx(-0.05), pytest.approx(-0.2))
    state = descent.state_dict()
    Descent(two, torch.nn.Module(), learning_rate=0.1, weight_decay=0.0).load_state_dict(state)

"""Many people, small memory: accumulated gradients, centres changed row by row, lengths for AdaFace, a compiled network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from sameface.errors import CheckpointError, SettingError  # noqa: E402
from sameface.training.loop.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from sameface.training.loop.device import choose_compute  # noqa: E402
from sameface.training.loop.trainer import Trainer  # noqa: E402
from sameface.training.losses import make_loss  # noqa: E402
from sameface.training.pictures import Pictures  # noqa: E402

from .test_trainer import SHORT, make_trainer, weights  # noqa: E402


def class_loss(name: str = "cosface", people: int = 8, **settings: float) -> torch.nn.Module:
    torch.manual_seed(3)
    return make_loss(name, dimension=8, people=people, settings={"scale": 16, **settings})


def test_accumulated_gradients_are_the_mean_of_those_of_each_batch(people: Pictures) -> None:
    trainer = make_trainer(people, replace(SHORT, accumulate=3), loss=class_loss())
    network, loss = trainer.network, trainer.loss
    network.train()
    expected: dict[str, torch.Tensor] = {}
    for number in (6, 7, 8):  # the batches of the third step
        trainer._steps.descent.zero_grad()
        rows = torch.from_numpy(trainer._feed._sampler.batch(number))
        pictures = trainer._deployed.intake(people.pixels[rows])
        (embeddings,) = network(pictures)
        loss(embeddings, torch.from_numpy(people.labels)[rows]).value.backward()
        for name, weight in (*network.named_parameters(), *loss.named_parameters()):
            expected[name] = expected.get(name, 0) + weight.grad.clone() / 3
    stopped: dict[str, torch.Tensor] = {}

    def instead_of_a_step(rate: float) -> None:
        for name, weight in (*network.named_parameters(), *loss.named_parameters()):
            stopped[name] = weight.grad.clone()

    trainer._steps.descent.step = instead_of_a_step
    trainer._one_step(2)
    for name, value in expected.items():
        torch.testing.assert_close(stopped[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"share": 0.75}, {"centres": 2, "share": 0.75}])
def test_losses_with_centres_learn_and_resume_to_the_same_bits(
    people: Pictures, tmp_path: Path, settings: dict[str, float]
) -> None:
    def build() -> Trainer:
        loss = class_loss("arcface", **settings)
        return make_trainer(people, replace(SHORT, accumulate=2, report_every=1), loss=loss)

    losses: list[float] = []
    whole = build()
    whole.run(lambda step, numbers: losses.append(numbers["loss"]))
    assert losses[-1] < 0.5 * losses[0]
    broken = build()
    for step in range(20):
        broken._one_step(step)
        broken._step += 1
    save_checkpoint(tmp_path / "20.pt", broken.state())
    resumed = build()
    resumed.resume(load_checkpoint(tmp_path / "20.pt"))
    resumed.run()
    assert all(torch.equal(a, b) for a, b in zip(weights(whole).values(), weights(resumed).values(), strict=True))
    assert torch.equal(whole.loss.centres.weight, resumed.loss.centres.weight)
    other = make_trainer(people, SHORT, loss=class_loss("arcface", share=1.0 if settings.get("share") else 0.75))
    with pytest.raises(CheckpointError):
        other.resume(load_checkpoint(tmp_path / "20.pt"))


def test_adaface_sees_lengths_while_it_trains_and_what_is_exported_has_length_1(people: Pictures) -> None:
    seen: list[torch.Tensor] = []
    loss = class_loss("adaface")
    loss.register_forward_pre_hook(lambda module, given: seen.append(given[0].detach().norm(dim=1)))
    trainer = make_trainer(people, replace(SHORT, steps=3), loss=loss)
    trainer.run()
    assert all(float(lengths.std()) > 1e-3 for lengths in seen)
    torch.testing.assert_close(trainer.embed(people.pixels).norm(dim=1), torch.ones(len(people)))
    torch.testing.assert_close(trainer.network(torch.rand(2, 1, 12, 12))[0].norm(dim=1), torch.ones(2))
    arcface = make_trainer(people, replace(SHORT, steps=1), loss=class_loss("arcface"))
    torch.testing.assert_close(arcface.network.train()(torch.rand(2, 1, 12, 12))[0].norm(dim=1), torch.ones(2))


def test_a_compiled_network_is_what_is_trained(people: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    trainer = make_trainer(people, replace(SHORT, steps=2), compute=choose_compute("cpu", "float32", compiled=True))
    result = trainer.run()
    assert compiled == [trainer.network]
    assert result.compute == "cpu, float32, compiled"


def test_at_least_one_batch_a_step() -> None:
    with pytest.raises(SettingError, match="one batch a step"):
        replace(SHORT, accumulate=0)

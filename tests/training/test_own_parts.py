"""One's own parts, given as Python objects to one trainer: module, loss, miner, sampler, data set, augmentation, callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.errors import SettingError  # noqa: E402
from sameface.training import (  # noqa: E402
    Callback,
    LossReport,
    Pictures,
    Trainer,
    TrainingSettings,
    build_network,
    choose_compute,
    export_encoder,
    make_loss,
    own_network,
)
from sameface.training.losses import AnyLoss, TripletLoss  # noqa: E402
from sameface.training.networks import NetworkSpec  # noqa: E402
from sameface.training.pictures import as_pictures  # noqa: E402

from .conftest import TINY, make_people  # noqa: E402

SHORT = TrainingSettings(steps=12, people=4, photos=3, warmup=2, validate_every=5, report_every=5, save_every=0)
CPU = choose_compute("cpu", "float32")


class Tiny(torch.nn.Module):
    """A module as anybody writes one: no base class, no arguments of ours."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * 144, 6))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.layers(pictures)


class PeopleDataset(torch.utils.data.Dataset):
    """A data set as anybody writes one."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self.fetched: list[int] = []

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> tuple[np.ndarray, str]:
        self.fetched.append(index)
        return self._pictures.in_memory[index, 0].numpy(), f"name {self._pictures.labels[index]}"


def spread_out(embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    same = labels[:, None] == labels[None, :]
    distances = torch.cdist(embeddings, embeddings)
    return distances[same].mean() + (1 - distances[~same]).clamp(min=0).mean()


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [value.clone() for value in trainer.network.state_dict().values()]


def test_everything_of_ones_own_in_a_few_lines(tmp_path: Path) -> None:
    class Alternating:
        batch_size = 8

        def batch(self, step: int) -> np.ndarray:
            return (np.arange(8) * 3 + step) % 48

    told = []
    trainer = Trainer(
        Tiny(),
        spread_out,
        PeopleDataset(make_people()),
        SHORT,
        sampler=Alternating(),
        augmentation=lambda picture: picture.flip(-1),
        compute=CPU,
    )
    before = weights(trainer)
    result = trainer.run(lambda step, numbers: told.append((step, numbers)))
    assert result.photos == 12 * 8
    assert any(not torch.equal(a, b) for a, b in zip(before, weights(trainer), strict=True))
    assert [step for step, _ in told] == [1, 3, 5, 10, 12]  # two early ones, by which the time left is told
    assert np.isnan(told[0][1]["active_share"])  # a loss that gives one number does not tell
    assert trainer.spec.dimension == 6
    export_encoder(trainer.network, trainer.spec, tmp_path / "own.onnx", title="own", training_data="made")
    assert sameface.load_encoder(tmp_path / "own.onnx").encode(np.zeros((2, 12, 12, 3), np.uint8)).shape == (2, 6)


def test_a_dataset_trains_to_the_same_weights_as_its_pictures_in_memory() -> None:
    pictures = make_people()
    dataset = PeopleDataset(pictures)
    ours = as_pictures(dataset)
    assert ours.people == tuple(f"name {number}" for number in range(8))
    np.testing.assert_array_equal(ours.labels, pictures.labels)
    trained = []
    for given in (pictures, dataset):
        torch.manual_seed(3)
        trainer = Trainer(Tiny(), TripletLoss(), given, SHORT, compute=CPU)
        trainer.run()
        trained.append(weights(trainer))
    assert all(torch.equal(a, b) for a, b in zip(*trained, strict=True))


def test_the_number_of_people_is_counted_and_targets_are_not_fetched() -> None:
    dataset = PeopleDataset(make_people())
    dataset.targets = [f"{number % 5}" for number in range(len(dataset))]
    assert len(as_pictures(dataset).people) == 5
    assert len(dataset.fetched) == 1  # one item, for its shape


def test_losses_and_miners_of_pytorch_metric_learning() -> None:
    losses, miners = (pytest.importorskip(f"pytorch_metric_learning.{part}") for part in ("losses", "miners"))
    embeddings = torch.nn.functional.normalize(torch.randn(12, 5, generator=torch.Generator().manual_seed(0)), dim=1)
    embeddings.requires_grad_()
    labels = torch.arange(12) // 3
    alone = AnyLoss(losses.TripletMarginLoss(margin=0.3))(embeddings, labels)
    assert alone.value == losses.TripletMarginLoss(margin=0.3)(embeddings, labels)
    assert alone.active is None
    miner = miners.TripletMarginMiner(margin=0.1, type_of_triplets="semihard")
    chosen = miner(embeddings, labels)
    mined = AnyLoss((losses.TripletMarginLoss(margin=0.3), miner))(embeddings, labels)
    assert mined.value == losses.TripletMarginLoss(margin=0.3)(embeddings, labels, chosen)
    assert mined.value != alone.value
    # Its losses with weights of their own are trained along.
    arc = losses.ArcFaceLoss(num_classes=8, embedding_size=8)
    before = arc.W.detach().clone()
    Trainer(build_network(TINY), arc, make_people(), SHORT, compute=CPU).run()
    assert not torch.equal(arc.W, before)
    Trainer(
        build_network(TINY),
        (losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner()),
        make_people(),
        SHORT,
        compute=CPU,
    ).run()


def test_what_is_no_part_is_said() -> None:
    pictures = make_people()
    for loss in ("triplet", (TripletLoss(), "miner")):
        with pytest.raises(SettingError, match="loss"):
            Trainer(build_network(TINY), loss, pictures, SHORT, compute=CPU)
    with pytest.raises(SettingError, match="one number"):
        Trainer(build_network(TINY), lambda e, y: e.sum(dim=1), pictures, SHORT, compute=CPU).run()
    with pytest.raises(SettingError, match="augmentation"):
        Trainer(build_network(TINY), TripletLoss(), pictures, SHORT, augmentation="faces", compute=CPU)
    with pytest.raises(SettingError, match="takes pictures"):
        Trainer(Tiny(channels=3), TripletLoss(), pictures, SHORT, compute=CPU)
    with pytest.raises(SettingError, match="length"):
        Trainer(build_network(TINY), TripletLoss(), iter([1]), SHORT, compute=CPU)
    with pytest.raises(SettingError, match="embeddings"):
        own_network(torch.nn.Identity(), size=12, channels=1)


def test_an_augmentation_of_ones_own_draws_by_the_step() -> None:
    def shaken(picture: torch.Tensor) -> torch.Tensor:
        return picture + 0.1 * torch.randn_like(picture)

    trained = []
    for _ in range(2):
        torch.manual_seed(1)
        trainer = Trainer(Tiny(), TripletLoss(), make_people(), SHORT, augmentation=shaken, compute=CPU)
        torch.rand(len(trained) * 5)  # draws of others in between
        trainer.run()
        trained.append(weights(trainer))
    assert all(torch.equal(a, b) for a, b in zip(*trained, strict=True))


class Listening(Callback):
    def __init__(self, stop_at: int = 0) -> None:
        self.heard: list[tuple[object, ...]] = []
        self._stop_at = stop_at

    def start(self, trainer: Trainer) -> None:
        self.heard.append(("start",))

    def step(self, trainer: Trainer, step: int, numbers: Mapping[str, float]) -> None:
        assert {"loss", "spread", "learning_rate"} <= set(numbers)
        self.heard.append(("step", step))
        if step == self._stop_at:
            trainer.stop()

    def epoch(self, trainer: Trainer, epoch: int) -> None:
        self.heard.append(("epoch", epoch))

    def validation(self, trainer: Trainer, step: int, validation: object) -> None:
        self.heard.append(("validation", step))

    def end(self, trainer: Trainer, result: object) -> None:
        self.heard.append(("end", result.stopped))


def test_callbacks_hear_everything_in_order() -> None:
    listening = Listening()
    # 48 photos, 12 a batch: an epoch is 4 steps.
    trainer = Trainer(
        build_network(TINY),
        make_loss("triplet", dimension=8, people=8),
        make_people(),
        replace(SHORT, steps=6),
        held_out=make_people(seed=9),
        compute=CPU,
        callbacks=[Callback(), listening],
    )
    trainer.run()
    assert listening.heard == [
        ("start",),
        *(("step", step) for step in (1, 2, 3, 4)),
        ("epoch", 1),
        ("step", 5),
        ("validation", 5),
        ("step", 6),
        ("validation", 6),
        ("end", "finished"),
    ]


def test_a_callback_may_end_a_training() -> None:
    listening = Listening(stop_at=3)
    result = Trainer(build_network(TINY), TripletLoss(), make_people(), SHORT, compute=CPU, callbacks=[listening]).run()
    assert (result.stopped, result.steps) == ("asked", 3)
    assert listening.heard[-1] == ("end", "asked")


def test_a_loss_that_found_nothing_touches_no_weight() -> None:
    def nothing(embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.zeros(())

    trainer = Trainer(build_network(TINY), nothing, make_people(), replace(SHORT, weight_decay=0), compute=CPU)
    before = [value.clone() for value in trainer.network.parameters()]
    trainer.run()
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.network.parameters(), strict=True))
    assert AnyLoss(nothing)(torch.zeros(2, 2), torch.zeros(2)).considered == 0
    assert AnyLoss(lambda e, y: LossReport(e.sum(), 1, 2))(torch.zeros(2, 2), torch.zeros(2)).considered == 2


def test_a_network_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mynet_here.py").write_text(
        "from torch import nn\n\n\nclass Tiny(nn.Sequential):\n"
        "    def __init__(self, *, channels, size, dimension):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(channels * size * size, dimension))\n"
    )
    monkeypatch.chdir(tmp_path)
    network = build_network(NetworkSpec("mynet_here:Tiny", 12, 1, 5))
    assert network.embed(torch.zeros(2, 1, 12, 12)).shape == (2, 5)

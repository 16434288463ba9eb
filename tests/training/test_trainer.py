"""The loop on tiny people: it learns, it resumes to the same result, it says when it fails."""

from __future__ import annotations

import csv
import signal
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from sameface.errors import CheckpointError, LossNotFiniteError, NotEnoughDataError, SettingError, TrainingError  # noqa: E402
from sameface.training.augment import FaceAugmentation  # noqa: E402
from sameface.training.loop.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from sameface.training.loop.device import choose_compute  # noqa: E402
from sameface.training.loop.logs import CsvLog  # noqa: E402
from sameface.training.loop.settings import TrainingSettings  # noqa: E402
from sameface.training.loop.trainer import COLUMNS, Trainer, seeded  # noqa: E402
from sameface.training.losses import LossReport, TripletLoss, make_loss  # noqa: E402
from sameface.training.networks import NetworkSpec, build_network  # noqa: E402
from sameface.training.pictures import Pictures  # noqa: E402

from .conftest import TINY, make_people  # noqa: E402

SHORT = TrainingSettings(steps=40, people=4, photos=3, warmup=5, learning_rate=3e-3, validate_every=0, save_every=0)


def make_trainer(
    pictures: Pictures, settings: TrainingSettings = SHORT, *, loss: torch.nn.Module | None = None, **arguments: object
) -> Trainer:
    network = seeded(1, lambda: build_network(TINY))
    arguments.setdefault("compute", choose_compute("cpu", "float32"))
    return Trainer(network, loss or TripletLoss(), pictures, settings, **arguments)


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def test_it_learns_people_it_never_saw(people: Pictures) -> None:
    strangers = make_people(seed=99, noise=70)
    trainer = make_trainer(make_people(20, noise=70), replace(SHORT, steps=150, people=10), held_out=strangers)
    before = trainer._validate()
    result = trainer.run()
    assert result.stopped == "finished"
    assert result.validation.eer < 0.7 * before.eer
    assert result.validation.one_shot_error < before.one_shot_error
    assert "cpu" in result.compute


def test_the_same_seed_gives_the_same_weights(people: Pictures) -> None:
    first, second = (make_trainer(people, augmentation=FaceAugmentation()) for _ in range(2))
    other = make_trainer(people, replace(SHORT, seed=5), augmentation=FaceAugmentation())
    for trainer in (first, second, other):
        trainer.run()
    assert all(torch.equal(a, b) for a, b in zip(weights(first).values(), weights(second).values(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(weights(first).values(), weights(other).values(), strict=True))


@pytest.mark.parametrize(
    ("loss", "stop"),
    [("triplet", signal.SIGINT), ("koch", signal.SIGTERM), ("ArcFaceLoss", signal.SIGINT)],
)
def test_a_resumed_training_ends_where_an_unbroken_one_does(
    people: Pictures, tmp_path: Path, loss: str, stop: signal.Signals
) -> None:
    def build() -> Trainer:
        mining = "distance-weighted" if loss == "triplet" else None
        made = seeded(2, lambda: make_loss(loss, dimension=8, people=8, mining=mining))
        settings = replace(SHORT, save_every=16, validate_every=10, patience=9)
        return make_trainer(
            people,
            settings,
            loss=made,
            augmentation=FaceAugmentation(),
            held_out=make_people(seed=99),
            checkpoint=tmp_path / "c.pt",
        )

    unbroken = build()
    unbroken.run()

    broken = build()

    # Ctrl-C (or SIGTERM) in the middle of a step: that step is ended, then the checkpoint is left.
    take_step = broken._steps.take

    def interrupted_in_step_20(step: int, *batch: torch.Tensor) -> object:
        if step == 19:
            signal.raise_signal(stop)
        return take_step(step, *batch)

    broken._steps.take = interrupted_in_step_20  # type: ignore[assignment]
    result = broken.run()
    assert (result.stopped, result.steps, result.signal) == ("interrupted", 20, stop)
    with pytest.raises(KeyboardInterrupt):
        result.unless_interrupted()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    resumed = build()
    resumed.resume(load_checkpoint(tmp_path / "c.pt", TINY))
    assert resumed.run().steps == 40
    for name, value in weights(unbroken).items():
        assert torch.equal(value, weights(resumed)[name]), name


def test_pytorchs_own_random_state_is_left_as_it_was(people: Pictures) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    make_trainer(people, replace(SHORT, steps=3)).run()
    assert torch.equal(torch.rand(3), expected)


def test_early_stopping_keeps_the_best_weights(people: Pictures) -> None:
    settings = replace(SHORT, steps=400, validate_every=5, patience=3, learning_rate=0.01)
    result = make_trainer(people, settings, held_out=make_people(seed=99, noise=5)).run()
    assert result.stopped == "early"
    assert result.best_step == result.steps - 15


class Exploding(torch.nn.Module):
    """A loss that becomes NaN at its tenth batch."""

    calls = 0

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> LossReport:
        self.calls += 1
        value = embeddings.square().sum() * (float("nan") if self.calls == 10 else 1.0)
        return LossReport(value, 1, 1)


def test_a_nan_loss_stops_and_keeps_the_last_good_checkpoint(people: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    trainer = make_trainer(people, replace(SHORT, save_every=4), loss=Exploding(), checkpoint=path)
    with pytest.raises(LossNotFiniteError, match="step 10") as caught:
        trainer.run()
    assert str(path) in str(caught.value)
    kept = load_checkpoint(path)
    assert kept.step == 8
    assert all(torch.isfinite(value).all() for value in kept.network.values())


class ExplodingBackwards(torch.nn.Module):
    """A loss that stays finite; the gradient of its tenth batch is NaN (that of √x at 0, times 0)."""

    calls = 0

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> LossReport:
        self.calls += 1
        value = embeddings.square().sum()
        return LossReport(value + (0 * value).sqrt() if self.calls == 10 else value, 1, 1)


def test_a_nan_gradient_under_a_finite_loss_touches_no_weight(people: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    trainer = make_trainer(people, replace(SHORT, save_every=1), loss=ExplodingBackwards(), checkpoint=path)
    with pytest.raises(LossNotFiniteError, match="gradient of nan at step 10"):
        trainer.run()
    assert load_checkpoint(path).step == 9
    assert all(torch.isfinite(value).all() for value in trainer.network.state_dict().values())


class ToOnePoint(torch.nn.Module):
    """A loss that pulls everybody together."""

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> LossReport:
        return LossReport((embeddings - embeddings.mean(dim=0).detach()).square().sum(), 1, 1)


def test_a_collapse_is_detected_and_said(people: Pictures) -> None:
    settings = replace(SHORT, steps=400, learning_rate=0.01, warmup=0)
    with pytest.raises(TrainingError, match="collapse"):
        make_trainer(people, settings, loss=ToOnePoint()).run()
    result = make_trainer(people, replace(settings, stop_on_collapse=False, steps=120), loss=ToOnePoint()).run()
    assert "one point" in result.warnings[0]


def test_logs_hold_every_report(people: Pictures, tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv", COLUMNS)
    make_trainer(
        people, replace(SHORT, report_every=10, validate_every=20), held_out=make_people(seed=9), logs=[log]
    ).run()
    log.close()
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["10", "20", "30", "40"]
    assert rows[0]["validation_eer"] == ""
    assert 0 <= float(rows[1]["validation_eer"]) <= 1
    assert 0 <= float(rows[0]["active_share"]) <= 1
    # A resumed training drops the rows that it will make again.
    CsvLog(tmp_path / "log.csv", COLUMNS, from_step=20).close()
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3


def test_a_checkpoint_of_another_architecture_is_refused(people: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    make_trainer(people, replace(SHORT, steps=2), checkpoint=path).run()
    with pytest.raises(CheckpointError, match="convnet"):
        load_checkpoint(path, replace(TINY, dimension=16))


def test_a_checkpoint_of_another_training_is_refused_or_said(people: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    make_trainer(people, replace(SHORT, steps=2), checkpoint=path).run()
    begun = load_checkpoint(path, TINY)
    with pytest.raises(CheckpointError, match="KochLoss"):
        make_trainer(people, loss=make_loss("koch", dimension=8, people=8)).resume(begun)
    # Who is validated on now may have been trained on then: other pictures, and another split of the same.
    for pictures, held_out in ((make_people(seed=3), None), (people.of_people(range(6)), people.of_people([6, 7]))):
        with pytest.raises(CheckpointError, match="pictures"):
            make_trainer(pictures, held_out=held_out).resume(begun)
    longer = make_trainer(people, replace(SHORT, steps=3))
    longer.resume(begun)
    (said,) = longer.run().warnings
    assert "steps 3 (was 2)" in said


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", "half", "other"])
def test_a_damaged_checkpoint_is_refused(people: Pictures, tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "c.pt"
    make_trainer(people, replace(SHORT, steps=2), checkpoint=path).run()
    if content == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif content == "other":
        torch.save({"weights": torch.zeros(3)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="nothing there"):
        load_checkpoint(tmp_path / "none.pt")


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "exploded",))

    path = tmp_path / "c.pt"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    assert not (tmp_path / "exploded").exists()


def test_a_full_disk_leaves_the_old_checkpoint(
    people: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sameface.errors import StorageFullError

    path = tmp_path / "c.pt"
    trainer = make_trainer(people, replace(SHORT, steps=2), checkpoint=path)
    trainer.run()
    before = path.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(StorageFullError, match="--resume"):
        save_checkpoint(path, trainer.state())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_trained_is_said() -> None:
    with pytest.raises(NotEnoughDataError, match="two people"):
        make_trainer(make_people(people=1))
    with pytest.raises(NotEnoughDataError, match="one photo of everybody"):
        make_trainer(make_people(photos=1))
    with pytest.raises(SettingError):
        TrainingSettings(steps=0)


def test_a_module_of_ones_own_by_import_path() -> None:
    network = build_network(NetworkSpec("tests.training.own_network:Own", 12, 1, 5, options={"hidden": 7}))
    assert network.embed(torch.zeros(2, 1, 12, 12)).shape == (2, 5)
    for name in ("nonsense", "tests.training.own_network:Missing", "no.such.module:Own"):
        with pytest.raises(SettingError):
            build_network(NetworkSpec(name))
    with pytest.raises(SettingError, match="options"):
        build_network(replace(TINY, options={"depth": 3}))

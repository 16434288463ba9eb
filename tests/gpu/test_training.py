"""Training on an NVIDIA GPU: the processor's losses, bfloat16, an end that resumes, a file that the processor runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sameface.training.augment import FaceAugmentation  # noqa: E402
from sameface.training.loop.checkpoint import load_checkpoint  # noqa: E402
from sameface.training.loop.device import choose_compute  # noqa: E402
from sameface.training.loop.settings import TrainingSettings  # noqa: E402
from sameface.training.loop.trainer import Trainer, seeded  # noqa: E402
from sameface.training.losses import make_loss  # noqa: E402
from sameface.training.networks import build_network  # noqa: E402

from ..training.conftest import TINY, make_people  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU in PyTorch")
SETTINGS = TrainingSettings(steps=60, people=8, photos=3, warmup=5, learning_rate=3e-3, validate_every=0, save_every=0)


def trainer(
    device: str, precision: str = "float32", loss: str = "triplet", *, compiled: bool = False, **more: object
) -> Trainer:
    network = seeded(1, lambda: build_network(TINY))
    made = seeded(2, lambda: make_loss(loss, dimension=8, people=20))
    settings = more.pop("settings", SETTINGS)
    compute = choose_compute(device, precision, compiled=compiled)
    return Trainer(network, made, make_people(20, noise=70), settings, compute=compute, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", ["triplet", "contrastive", "koch", "ArcFaceLoss", "arcface", "adaface"])
def test_it_learns_what_the_processor_learns(loss: str) -> None:
    strangers = make_people(seed=99, noise=70)
    found = {device: trainer(device, loss=loss, held_out=strangers).run() for device in ("cpu", "cuda")}
    assert "NVIDIA" in found["cuda"].compute
    assert found["cuda"].validation.eer == pytest.approx(found["cpu"].validation.eer, abs=0.1)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")  # PyTorch's own, when it compiles
@pytest.mark.parametrize("compiled", [False, True])
def test_bfloat16_learns_too(compiled: bool) -> None:
    made = trainer("cuda", "mixed", compiled=compiled, held_out=make_people(seed=99, noise=70))
    before = made._validate()
    result = made.run()
    assert "bfloat16" in result.compute
    assert result.validation.eer < before.eer


def test_a_resumed_training_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    def build(steps: int) -> Trainer:
        settings = replace(SETTINGS, steps=40, save_every=steps)
        return trainer("cuda", settings=settings, augmentation=FaceAugmentation(), checkpoint=tmp_path / f"{steps}.pt")

    unbroken = build(20)
    unbroken.run()
    stopped = build(16)
    take = stopped._steps.take

    def until(step: int, *batch: torch.Tensor) -> object:
        if step == 19:
            raise KeyboardInterrupt
        return take(step, *batch)

    stopped._steps.take = until  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = build(16)
    resumed.resume(load_checkpoint(tmp_path / "16.pt", TINY))
    resumed.run()
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_the_command_trains_there_and_the_processor_runs_its_file(tmp_path: Path) -> None:
    from PIL import Image
    from typer.testing import CliRunner

    from sameface.cli.app import app
    from sameface.encoders import load_encoder

    people = make_people(10, 8, side=32, noise=30)
    for row, label in enumerate(people.labels):
        folder = tmp_path / "people" / f"p{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(people.in_memory[row, 0].numpy()).save(folder / f"{row}.png")
    words = ["train", str(tmp_path / "people"), "-d", "none", "--steps", "30", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--device", "cuda"])
    assert done.exit_code == 0, done.output
    assert "NVIDIA" in done.output
    (file,) = (tmp_path / "out").glob("*.onnx")
    encoder = load_encoder(str(file))
    width, height = encoder.card.input_size_wh
    assert np.isfinite(encoder.encode(np.zeros((2, height, width, 3), np.uint8))).all()

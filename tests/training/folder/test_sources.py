"""What `sameface train` takes beside a folder: .rec, tar files, CSV, a dataset of PyTorch; each trains to the same weights as the folder."""

from __future__ import annotations

import csv
import io
import json
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from sameface.errors import DataError, SettingError  # noqa: E402
from sameface.training.folder import read_plan, train_folder  # noqa: E402
from sameface.training.folder import reading as reading_room  # noqa: E402
from sameface.training.folder.sources import open_source  # noqa: E402
from sameface.training.loop.checkpoint import load_checkpoint  # noqa: E402
from tests.training.conftest import make_people  # noqa: E402
from tests.training.test_folder import QUICK, write_people  # noqa: E402


def png(row: int) -> bytes:
    pictures = make_people(8, 5, side=24)
    stored = io.BytesIO()
    Image.fromarray(pictures.in_memory[row, 0].numpy()).save(stored, format="PNG")
    return stored.getvalue()


def as_rec(place: Path) -> Path:
    """As MXNet's ``recordio`` packs it: magic, length, header (flag, label, ids), image, zeros up to four bytes."""
    with (place / "train.rec").open("wb") as file:
        for row in range(40):
            body = struct.pack("<IfQQ", 0, float(row // 5), row, 0) + png(row)
            file.write(struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4))
    return place / "train.rec"


def as_tar(place: Path) -> Path:
    with tarfile.open(place / "faces.tar", "w") as tar:
        for row in range(40):
            for name, content in ((f"{row:06}.png", png(row)), (f"{row:06}.cls", str(row // 5).encode())):
                about = tarfile.TarInfo(name)
                about.size = len(content)
                tar.addfile(about, io.BytesIO(content))
    return place / "faces.tar"


def as_csv(place: Path) -> Path:
    folder = write_people(place / "people")
    with (place / "photos.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["photo", "person"])
        for photo in sorted(folder.glob("*/*.png"), key=lambda path: int(path.stem)):
            rows.writerow([photo.relative_to(place), photo.parent.name])
    return place / "photos.csv"


@pytest.fixture(scope="module")
def by_folder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """Weights that the folder of the same pictures trains to."""
    place = tmp_path_factory.mktemp("folder")
    return weights_of(write_people(place / "people"), place / "out")


def weights_of(data: Path | str, out: Path) -> dict[str, torch.Tensor]:
    train_folder(data, out, replace(QUICK, settings=replace(QUICK.settings, steps=4)))
    return load_checkpoint(out / "checkpoint.pt").network


@pytest.mark.parametrize("written", [as_rec, as_tar, as_csv])
@pytest.mark.parametrize("in_memory", [True, False])
def test_every_form_trains_to_the_same_weights(
    tmp_path: Path,
    by_folder: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
    written: object,
    in_memory: bool,
) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sameface.training.folder.run.export_as_planned", lambda *arguments: 0.0)
    if not in_memory:
        monkeypatch.setattr(reading_room, "IN_MEMORY", 0)
    found = weights_of(written(tmp_path), tmp_path / "out")
    assert all(torch.equal(found[name], value) for name, value in by_folder.items())


def test_omniglot_is_learned_as_it_is_unpacked(tmp_path: Path) -> None:
    """`evaluate` reads a folder per alphabet; `train` asked to have 136 folders moved up."""
    for alphabet, characters in (("Greek", 2), ("Latin", 1)):
        for character in range(1, characters + 1):
            place = tmp_path / alphabet / f"character{character:02}"
            place.mkdir(parents=True)
            for drawing in range(2):
                Image.new("L", (8, 8), 40 * drawing).save(place / f"{drawing}.png")
    found = open_source(tmp_path).photos
    assert found.names == ("Greek/character01", "Greek/character02", "Latin/character01")
    assert found.people.tolist() == [0, 0, 1, 1, 2, 2]


def test_pairs_are_nothing_to_train_on(tmp_path: Path) -> None:
    write_people(tmp_path / "people")
    (tmp_path / "pairs.csv").write_text("a,b,same\npeople/person 0/0.png,people/person 0/1.png,1\n")
    with pytest.raises(DataError, match="pairs"):
        open_source(tmp_path / "pairs.csv")


OWN = """
import numpy as np
import torch
from sameface.training import Callback, Pictures

def dataset():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 5)
    pixels = random.integers(0, 256, (8, 1, 12, 12)).repeat(5, axis=0) // 2 + random.integers(0, 64, (40, 1, 12, 12))
    return Pictures(torch.from_numpy(pixels.astype(np.uint8)), labels, tuple("abcdefgh"))

class Loss(torch.nn.Module):
    def __init__(self, dimension, strength=1.0):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.full((dimension,), strength))

    def forward(self, embeddings, labels):
        same = labels[:, None] == labels[None, :]
        distances = torch.cdist(embeddings * self.scale, embeddings)
        return distances[same].mean() + (1 - distances[~same]).clamp(min=0).mean()

def shake(picture):
    return picture + 0.01 * torch.randn_like(picture)

class InOrder:
    def __init__(self, labels, people, photos):
        self._count, self.batch_size = len(labels), people * photos

    def batch(self, step):
        return (np.arange(self.batch_size) + step * self.batch_size) % self._count

class Note(Callback):
    heard = []

    def end(self, trainer, result):
        self.heard.append(result.steps)
"""

PLAN = """
data = "own_parts_here:dataset"
name = "named"

[plan]
network = "convnet"
size = 12
grey = true
dimension = 6
loss = "own_parts_here:Loss"
domain = "own_parts_here:shake"
sampler = "own_parts_here:InOrder"
callbacks = ["own_parts_here:Note"]
device = "cpu"
precision = "float32"
validation = 0.25
options = { widths = [4, 8] }
loss_settings = { strength = 2.0 }

[plan.settings]
steps = 6
people = 4
photos = 3
validate_every = 3
"""


def test_a_dataset_whose_pictures_the_network_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before any step, with what to type."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other_size_here.py").write_text(
        "import torch\n\ndef dataset():\n    pictures = torch.zeros((40, 1, 12, 12), dtype=torch.uint8)\n"
        "    return torch.utils.data.TensorDataset(pictures, torch.arange(40) // 5)\n"
    )
    for plan in (replace(QUICK, size=24, grey=True), QUICK):
        channels = 1 if plan.grey else 3
        with pytest.raises(SettingError, match=rf"{channels} x {plan.size} x {plan.size}.*--size"):
            train_folder("other_size_here:dataset", tmp_path / "out", plan)
        assert not (tmp_path / "out").exists()


def test_a_training_in_one_file_with_parts_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from sameface.cli.train import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sameface.training.folder.run.export_as_planned", lambda *arguments: 0.0)
    (tmp_path / "own_parts_here.py").write_text(OWN)
    (tmp_path / "run.toml").write_text(PLAN)
    done = CliRunner().invoke(app, ["--config", "run.toml", "--out", "first", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    import own_parts_here  # type: ignore[import-not-found]

    assert own_parts_here.Note.heard == [6]
    first = load_checkpoint(tmp_path / "first" / "checkpoint.pt")
    assert first.loss["scale"].shape == (6,)
    assert (first.loss["scale"] > 1.5).all()  # it began at the setting 2
    # What every run leaves runs again, to the same weights.
    assert read_plan(tmp_path / "first" / "training.toml").plan == read_plan(tmp_path / "run.toml").plan
    done = CliRunner().invoke(app, ["--config", "first/training.toml", "--out", "second"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    second = load_checkpoint(tmp_path / "second" / "checkpoint.pt")
    assert all(torch.equal(second.network[name], value) for name, value in first.network.items())
    assert json.loads((tmp_path / "first" / "result.json").read_text())["plan"]["sampler"] == "own_parts_here:InOrder"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "DATA or --config"),
        (["photos", "--config", "run.toml"], "DATA or --config"),
        (["--config", "run.toml", "--steps", "4"], "--steps"),
        (["--config", "none.toml"], "none.toml"),
        (["--config", "bad.toml"], "bad.toml"),
        (["--config", "mistyped.toml"], "stepz (did you mean steps?)"),
        (["--config", "unknown.toml"], "colour, which is no setting"),
        (["photos", "--loss", "nowhere_at_all:Loss"], "nowhere_at_all"),
        (["photos", "--sampler", "os:nothing"], "nothing"),
        (["photos", "--callback", "os:path"], "Callback"),
    ],
)
def test_what_a_training_cannot_be_made_of_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    from typer.testing import CliRunner

    from sameface.cli.train import app

    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text('data = "photos"\n')
    (tmp_path / "bad.toml").write_text('data = "photos"\n[plan]\ndimension = "many"\n')
    (tmp_path / "mistyped.toml").write_text('data = "photos"\n[plan.settings]\nstepz = 4\n')
    (tmp_path / "unknown.toml").write_text('data = "photos"\n[plan]\ncolour = true\noptions = { any = 1 }\n')
    result = CliRunner().invoke(app, [*arguments, "--out", "out"])
    assert isinstance(result.exception, SettingError)
    assert said in str(result.exception)

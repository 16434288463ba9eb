"""`sameface train DATA`: folders good and bad, from pictures to an encoder that the rest of the house runs."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.errors import DataError, NotEnoughDataError, OutputError, SettingError  # noqa: E402
from sameface.training.folder import FolderPlan, train_folder  # noqa: E402
from sameface.training.loop.settings import TrainingSettings  # noqa: E402
from sameface.training.pictures import files_by_person, split_by_person  # noqa: E402
from tests.cli.conftest import Run, run  # noqa: E402, F401  a fixture

from .conftest import write_people  # noqa: E402

QUICK = FolderPlan(
    size=12,
    dimension=8,
    options={"widths": (8, 16)},
    precision="float32",
    device="cpu",
    validation=0.3,
    settings=TrainingSettings(steps=20, people=4, photos=3, warmup=2, validate_every=10, save_every=10),
)


def test_from_a_folder_to_an_encoder(tmp_path: Path) -> None:
    data = write_people(tmp_path / "people")
    (data / "person 0" / "notes.txt").write_text("not a picture")
    (data / "person 0" / "broken.jpg").write_bytes(b"\xff\xd8 cut short")
    (data / "empty").mkdir()
    (data / "person 1" / "gone.jpg").symlink_to(tmp_path / "nothing here")
    (data / "person 1" / "holiday").mkdir()
    (data / "stray.png").write_bytes(b"")
    result = train_folder(data, tmp_path / "out", QUICK, name="mine")
    assert (result.people, result.held_out) == (6, 2)
    assert sorted(item.path.name for item in result.skipped) == [
        *("broken.jpg", "empty", "gone.jpg", "notes.txt", "stray.png")
    ]
    assert len((tmp_path / "out" / "skipped.txt").read_text().splitlines()) == 5
    assert result.onnx_difference <= 1e-4

    encoder = sameface.load_encoder(tmp_path / "out" / "mine.onnx")
    picture = next((data / "person 1").glob("*.png"))
    recognizer = sameface.Recognizer(encoder=str(tmp_path / "out" / "mine.onnx"), detector="none")
    assert encoder.card.id.startswith("mine@")
    assert recognizer.encode_photo(picture).embedding.shape == (8,)
    with sameface.Gallery(tmp_path / "people.db", recognizer=replace_threshold(recognizer)) as gallery:
        gallery.enroll("person 1", picture, review="off")
        assert [person.name for person in gallery.people()] == ["person 1"]
    with (tmp_path / "out" / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["10", "20"]
    assert json.loads((tmp_path / "out" / "result.json").read_text())["training"]["stopped"] == "finished"


def replace_threshold(recognizer: sameface.Recognizer) -> sameface.Recognizer:
    return sameface.Recognizer(encoder=recognizer.encoder, detector="none", operating_point=0.5)


def test_people_are_divided_never_photos() -> None:
    labels = np.repeat(np.arange(20), 3)
    kept, held = split_by_person(labels, 0.25, seed=3)
    assert sorted([*kept, *held]) == list(range(20))
    assert len(held) == 5
    assert split_by_person(labels, 0.25, seed=3) == (kept, held)
    assert split_by_person(labels, 0.25, seed=4) != (kept, held)
    # Only people with two photos can be validated on.
    mixed = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 5])
    assert set(split_by_person(mixed, 0.5, seed=0)[1]) <= {1, 2, 3, 4}


def test_what_cannot_be_learned_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="folder"):
        files_by_person(tmp_path / "none")
    with pytest.raises(NotEnoughDataError, match="two people"):
        train_folder(write_people(tmp_path / "alone", people=1), tmp_path / "out", QUICK)
    with pytest.raises(NotEnoughDataError, match="no training is needed"):
        train_folder(write_people(tmp_path / "single", photos=1), tmp_path / "out", QUICK)
    with pytest.raises(NotEnoughDataError, match="four people"):
        train_folder(write_people(tmp_path / "three", people=3), tmp_path / "out", QUICK)
    broken = tmp_path / "broken"
    for person in "ab":
        (broken / person).mkdir(parents=True)
        for number in range(2):
            (broken / person / f"{number}.jpg").write_bytes(b"no picture")
    with pytest.raises(NotEnoughDataError, match="4 files skipped"):
        train_folder(broken, tmp_path / "out", QUICK)
    with pytest.raises(SettingError, match="colour"):
        train_folder(
            write_people(tmp_path / "grey"), tmp_path / "out", replace(QUICK, network="inception_resnet_v1", grey=True)
        )


def test_a_name_that_cannot_be_is_said_before_training(tmp_path: Path) -> None:
    for name in ("my encoder", "../mine", ""):
        with pytest.raises(SettingError, match="name"):
            train_folder(write_people(tmp_path / "people"), tmp_path / "out", QUICK, name=name)
    assert not (tmp_path / "out").exists()


SMALL = ("--network", "convnet", "--size", "12")


#: Starts `sameface …` twice, once for each folder that it is given to write to, and prints the two processes; at the end their exit codes. They
#: are forked: a process of its own would import PyTorch again.
_BOTH = """
import os, runpy, sys
import torch._dynamo, sameface.training.folder
started = {}
for out in sys.argv[1:3]:
    process = os.fork()
    if process == 0:
        sys.stdout.flush()
        os.dup2(os.open(out + ".txt", os.O_WRONLY | os.O_CREAT), 2)
        sys.argv = ["sameface", *sys.argv[3:], "--out", out]
        try:
            runpy.run_module("sameface", run_name="__main__")
        except SystemExit as end:
            sys.stderr.flush()
            os._exit(end.code)
    started[process] = out
print(*started, flush=True)
print(*(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in started))
"""


@dataclass(frozen=True)
class Stopped:
    """A training that a signal ended: its exit code, what it said, the folder it wrote to, and the options that it had but for its length."""

    code: int
    said: str
    out: Path
    options: tuple[str, ...]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[signal.Signals, Stopped]:
    """Two trainings without an end, each ended by its signal."""
    folder = tmp_path_factory.mktemp("stopped")
    signals = (signal.SIGINT, signal.SIGTERM)
    outs = [folder / stop.name for stop in signals]
    options = (
        str(write_people(folder / "people")),
        "--people",
        "4",
        "--every",
        "10",
        "--patience",
        "0",
        "--grey",
        *SMALL,
    )
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    both = subprocess.Popen(
        [sys.executable, "-c", _BOTH, *map(str, outs), "train", *options, "--steps", "100000"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert both.stdout is not None
        processes = [int(word) for word in both.stdout.readline().split()]
        deadline = time.monotonic() + 600
        for process, stop, out in zip(processes, signals, outs, strict=True):
            while not (out / "checkpoint.pt").is_file() and time.monotonic() < deadline and both.poll() is None:
                time.sleep(0.05)
            os.kill(process, stop)
        codes = both.communicate(timeout=600)[0].split()
    finally:
        if both.returncode is None:
            os.killpg(both.pid, signal.SIGKILL)
            both.wait()
    return {
        stop: Stopped(int(code), out.with_name(f"{out.name}.txt").read_text(encoding="utf-8"), out, options)
        for code, stop, out in zip(codes, signals, outs, strict=True)
    }


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_to_go_on_from(
    stopped: dict[signal.Signals, Stopped], stop: signal.Signals
) -> None:
    ended = stopped[stop]
    assert ended.code == 128 + stop, ended.said
    assert "--resume" in ended.said
    assert "training 1 of 100000 · loss" in ended.said  # lines, where there is no terminal
    assert not list(ended.out.rglob("*.part"))
    assert (ended.out / "checkpoint.pt").is_file()


def test_a_training_that_a_signal_ended_goes_on(
    stopped: dict[signal.Signals, Stopped],
    tmp_path: Path,
    run: Run,  # noqa: F811  a fixture
) -> None:
    ended = stopped[signal.SIGINT]
    out = shutil.copytree(ended.out, tmp_path / "out")
    step = torch.load(out / "checkpoint.pt", weights_only=True)["step"]
    # Here: a process of its own imports PyTorch first.
    going_on = run("train", *ended.options, "--out", out, "--steps", step + 10, "--resume", "--json")
    assert going_on.code == 0, going_on.err
    assert going_on.json["steps"] == step + 10


def test_a_finished_training_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("log.csv", "other.onnx"):
        (tmp_path / "out" / name).write_text("a night's work")
        with pytest.raises(OutputError, match="--overwrite"):
            train_folder(tmp_path / "nowhere", tmp_path / "out", QUICK)
        assert (tmp_path / "out" / name).read_text() == "a night's work"
        with pytest.raises(DataError, match="nowhere"):  # allowed: the next thing that is wrong is said
            train_folder(tmp_path / "nowhere", tmp_path / "out", QUICK, overwrite=True)
        (tmp_path / "out" / name).unlink()


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": "tripplet"},
        {"margin": -1.0},
        {"margin": math.nan},
        {"loss": "contrastive", "margin": 0.0},
        {"loss": "ContrastiveLoss", "loss_settings": {"neg_margin": math.nan}},
        {"mining": "harder"},
        {"network": "convnett"},
        {"network": "::1"},
        {"network": ".relative:Class"},
        {"network": "os:path"},
        {"options": {"depth": 3}},
        {"domain": "cats"},
        {"validation": 1.0},
        {"validation": -0.1},
        {"validation": math.nan},
        {"precision": "half"},
        {"size": 0},
        {"dimension": 0},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_said_before_any_picture_is_read(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        train_folder(tmp_path / "nowhere", tmp_path / "out", replace(QUICK, **wrong))
    assert not (tmp_path / "out").exists()


def test_an_unknown_loss_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="Did you mean triplet"):
        train_folder(tmp_path / "nowhere", tmp_path / "out", replace(QUICK, loss="tripplet"))


def test_sigterm_before_and_after_training_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes while the encoder is written: what lay there stays, and no part beside it."""
    from sameface.files import atomic_write

    def terminated(*arguments: object) -> float:
        with atomic_write(tmp_path / "out" / "mine.onnx") as part:
            part.write_bytes(b"half")
            signal.raise_signal(signal.SIGTERM)
        return 0.0

    monkeypatch.setattr("sameface.training.folder.run.export_as_planned", terminated)
    with pytest.raises(KeyboardInterrupt):
        train_folder(write_people(tmp_path / "people"), tmp_path / "out", QUICK, name="mine")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["checkpoint.pt", "log.csv", "training.toml"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

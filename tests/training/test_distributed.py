"""Two processes do what one does with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from sameface.errors import SettingError  # noqa: E402
from sameface.training.loop.distributed import World  # noqa: E402
from tests.ports import free_port  # noqa: E402

from . import distributed_worker  # noqa: E402
from .conftest import write_people  # noqa: E402

LOSSES = ("triplet", "contrastive", "koch", "adaface", "cosface@0.8")


@dataclass(frozen=True)
class Trained:
    """What one process learned and what two did, each loss in a file; and what two said and wrote of a folder of photos."""

    one: Path
    two: Path
    said: str
    out: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two processes are started once for everything: each imports PyTorch first, and so does torchrun."""
    one, two, folder = (tmp_path_factory.mktemp(name) for name in ("one", "two", "folder"))
    distributed_worker.train_all(str(one), LOSSES)
    out = folder / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
            *("--local-addr", "127.0.0.1"),
            *("--log-dir", str(folder / "logs")),  # else a folder is left among the temporary files
            *(str(distributed_worker.__file__), str(two), ",".join(LOSSES), str(free_port())),
            *("train", str(write_people(folder / "people")), "--out", str(out), "--people", "4", "--steps", "6"),
            *("--device", "cpu", "--network", "convnet", "--size", "12"),
        ],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        stderr=subprocess.PIPE,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Trained(one, two, done.stderr, out)


@pytest.mark.parametrize("loss", LOSSES)
def test_two_processes_equal_one(trained: Trained, loss: str) -> None:
    one, two = (torch.load(folder / f"{loss}.pt", weights_only=True) for folder in (trained.one, trained.two))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert value.dtype == torch.float64
        assert float((value - two[name]).abs().max()) <= 1e-8, name
    assert float((one["backbone.embedding.weight"] - one["start"]).abs().max()) > 1e-2  # it went somewhere


def test_two_processes_train_on_one_folder(trained: Trained) -> None:
    assert "2 process(es)" in trained.said
    assert (trained.out / "my-encoder.onnx").is_file()


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    assert World(1, 2).share(8) == slice(4, 8)
    with pytest.raises(SettingError, match="evenly"):
        World(0, 3).share(8)

"""Two processes do what one does with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from sameface.errors import SettingError  # noqa: E402
from sameface.training.loop.distributed import World  # noqa: E402
from tests.ports import free_port  # noqa: E402

from . import distributed_worker  # noqa: E402

LOSSES = ("triplet", "contrastive", "koch", "adaface", "cosface@0.8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of what one process learned, and two. They run once for all losses: PyTorch takes seconds to import."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("one", "two")}
    distributed_worker.train_all(str(folders["one"]), LOSSES)
    worker = Path(distributed_worker.__file__)
    surroundings = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": "2",
    }
    # As torchrun sets it; `test_folder` runs torchrun itself, which is a third process that imports PyTorch.
    both = [
        subprocess.Popen(
            [sys.executable, str(worker), str(folders["two"]), *LOSSES],
            env={**surroundings, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in both:
            _, said = process.communicate(timeout=600)
            assert process.returncode == 0, said
    finally:
        for process in both:
            process.kill()
    return folders


@pytest.mark.parametrize("loss", LOSSES)
def test_two_processes_equal_one(trained: dict[str, Path], loss: str) -> None:
    one, two = (torch.load(trained[name] / f"{loss}.pt", weights_only=True) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert value.dtype == torch.float64
        assert float((value - two[name]).abs().max()) <= 1e-8, name
    assert float((one["backbone.embedding.weight"] - one["start"]).abs().max()) > 1e-2  # it went somewhere


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    assert World(1, 2).share(8) == slice(4, 8)
    with pytest.raises(SettingError, match="evenly"):
        World(0, 3).share(8)

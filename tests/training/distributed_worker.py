"""One process of trainings in float64, run by torchrun or alone: writes the final weights of each. Under torchrun a command of ours follows."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from sameface.training.loop.device import Compute
from sameface.training.loop.distributed import World, join_world, leave_world
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, seeded
from sameface.training.losses import make_loss
from sameface.training.networks import NetworkSpec, build_network
from sameface.training.pictures import Pictures


def train_all(folder: str, losses: Sequence[str]) -> None:
    """Twenty steps with each loss, one training after the other in the same world."""
    world = join_world("cpu")
    for loss in losses:
        _train(Path(folder) / f"{loss}.pt", loss, world)
    leave_world(world)


def _train(path: Path, loss: str, world: World) -> None:
    """Without batch statistics, which are of each process. A loss may name a share of people to be drawn: ``cosface@0.8``."""
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.normal(size=(24, 1, 8, 8)))
    pictures = Pictures(pixels, np.repeat(np.arange(6), 4), tuple("abcdef"))
    spec = NetworkSpec("convnet", 8, 1, 5, intake="none", options={"widths": (4, 6), "norm": False})
    network = seeded(0, lambda: build_network(spec)).double()
    name, _, share = loss.partition("@")
    drawn = {"share": float(share)} if share else None
    criterion = seeded(1, lambda: make_loss(name, dimension=5, people=6, settings=drawn)).double()
    settings = TrainingSettings(
        steps=20, people=4, photos=2, warmup=2, learning_rate=1e-2, validate_every=0, save_every=0
    )
    trainer = Trainer(network, criterion, pictures, settings, compute=Compute(torch.device("cpu"), None), world=world)
    start = network.backbone.embedding.weight.detach().clone()
    trainer.run()
    if world.rank == 0:
        torch.save(
            {"start": start, **network.state_dict(), **{f"loss.{k}": v for k, v in criterion.state_dict().items()}},
            path,
        )


def main(folder: str, losses: str, port: str, *command: str) -> None:
    """The trainings, whose processes meet at a port of their own; then `sameface …` as torchrun starts it, where torchrun lets them meet."""
    theirs = {name: os.environ[name] for name in ("MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE")}
    os.environ.update(MASTER_PORT=port, TORCHELASTIC_USE_AGENT_STORE="False")
    train_all(folder, losses.split(","))
    os.environ.update(theirs)
    sys.argv = ["sameface", *command]
    runpy.run_module("sameface", run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What was chosen for LFW from scratch, and the training that follows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from sameface.training.folder.plan import FolderPlan
from sameface.training.loop.device import choose_compute
from sameface.training.loop.logs import Log
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, TrainingResult, seeded
from sameface.training.losses import make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network
from sameface.training.networks.by_name import Option
from sameface.training.networks.fisher import FisherNetwork
from sameface.training.pictures import Pictures
from sameface.training.recipes.lfw_scratch.mixture import fit_layers
from sameface.training.recipes.lfw_scratch.telling_apart import discriminant, principal_components

#: By its module: it is no choice of `--network`, since only this recipe computes its layers.
NETWORK: Final = "sameface.training.networks.fisher:FisherNetwork"
#: Photos whose Fisher vectors are computed at once.
_BATCH: Final = 16


@dataclass(frozen=True)
class LfwScratchRecipe:
    """What was chosen, on a quarter of the people of ``peopleDevTrain`` who were left out for it.

    Attributes:
        size: side of the aligned crops in pixels.
        words, described: see `FisherNetwork`.
        samples: descriptors that directions and mixture are chosen by.
        components: principal components of the Fisher vectors that the last layer may use.
        ridge, power: see `discriminant`.
        temperature: of the supervised contrastive loss.
        steps, people, photos, learning_rate, dropout: of the descent; dropout is of components.
    """

    size: int = 112
    dimension: int = 128
    words: int = 128
    described: int = 64
    samples: int = 75_000
    components: int = 280
    ridge: float = 0.1
    power: float = 0.25
    temperature: float = 0.2
    steps: int = 300
    people: int = 64
    photos: int = 4
    learning_rate: float = 3e-4
    dropout: float = 0.2

    def plan(self) -> FolderPlan:
        """How photos become the network's pictures: aligned as the default plan aligns them, grey."""
        return FolderPlan(size=self.size, grey=True, align=True)

    def spec(self) -> NetworkSpec:
        """The network."""
        options: dict[str, Option] = {"words": self.words, "described": self.described}
        return NetworkSpec(NETWORK, self.size, 1, self.dimension, intake="unit", options=options)


@dataclass(frozen=True)
class ScratchResult:
    """One training.

    Attributes:
        network, spec: what was trained, for export.
        descent: how the last part went.
        cpu_seconds: of everything from pixels to the network, on all threads.
    """

    network: SiameseNetwork
    spec: NetworkSpec
    descent: TrainingResult
    cpu_seconds: float


class _LastLayer(nn.Module):
    """Components dropped at random, then a linear map without offset."""

    def __init__(self, begin: Tensor, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(begin.shape[0], begin.shape[1], bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(begin.T)

    def forward(self, components: Tensor) -> Tensor:
        return self.linear(self.dropout(components))  # type: ignore[no-any-return]  # a module's call has no type


def train_lfw_scratch(
    pictures: Pictures,
    *,
    recipe: LfwScratchRecipe | None = None,
    seed: int = 0,
    device: str | None = None,
    started: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
    logs: Sequence[Log] = (),
) -> ScratchResult:
    """Train on aligned crops of people.

    Args:
        pictures: ``(n, 1, size, size)`` uint8, some people with two or more.
        recipe: None takes the defaults.
        seed: of everything random.
        device: of the descent; the layers before it are computed on the CPU.
        started: told what begins, in sentences.
        progress, logs: of the descent, see `Trainer`.

    Raises:
        KeyboardInterrupt: Ctrl-C; nothing is kept.
    """
    chosen = recipe or LfwScratchRecipe()
    began = time.process_time()
    spec = chosen.spec()
    network = seeded(seed, lambda: build_network(spec))
    fisher = cast("FisherNetwork", network.backbone)

    def grey(rows: Tensor) -> Tensor:
        return pictures.pixels[rows].float() / 255

    started(f"{chosen.words} Gaussians for the patches of {len(pictures)} photos")
    fit_layers(fisher, grey, len(pictures), seed=seed, samples=chosen.samples)
    started(f"Fisher vectors of {len(pictures)} photos, their principal components")
    with torch.no_grad():
        vectors = torch.cat(
            [fisher.vectors(grey(rows)).half() for rows in torch.split(torch.arange(len(pictures)), _BATCH)]
        )
    mean, directions = principal_components(vectors, chosen.components, seed=seed)
    components = torch.cat([(part.float() - mean) @ directions for part in torch.split(vectors, 1024)])
    del vectors
    scale = components.std(dim=0)
    whitened = components / scale
    begin = torch.from_numpy(
        discriminant(
            whitened.double().numpy(),
            pictures.labels,
            kept=chosen.dimension,
            ridge=chosen.ridge,
            power=chosen.power,
        ).astype(np.float32)
    )
    begin = begin / (whitened @ begin).norm(dim=1).mean()
    last, descent = _descend(whitened, begin, pictures, chosen, seed, device, progress, logs)
    with torch.no_grad():
        fisher.embedding.weight.copy_(last @ (directions / scale).T)
        fisher.embedding.bias.copy_(-fisher.embedding.weight @ mean)
    network.eval()
    return ScratchResult(network, spec, descent, time.process_time() - began)


def _descend(
    whitened: Tensor,
    begin: Tensor,
    pictures: Pictures,
    chosen: LfwScratchRecipe,
    seed: int,
    device: str | None,
    progress: Callable[[int, Mapping[str, float]], None] | None,
    logs: Sequence[Log],
) -> tuple[Tensor, TrainingResult]:
    """The last layer, by sister networks and contrast; ``(dimension, components)``."""
    spec = NetworkSpec("head", 0, 0, chosen.dimension, intake="none")
    sisters = SiameseNetwork(_LastLayer(begin, chosen.dropout), spec=spec)
    trainer = Trainer(
        sisters,
        make_loss(
            "SupConLoss",
            dimension=chosen.dimension,
            people=len(pictures.people),
            settings={"temperature": chosen.temperature},
        ),
        Pictures(whitened, pictures.labels, pictures.people),
        TrainingSettings(
            steps=chosen.steps,
            people=chosen.people,
            photos=chosen.photos,
            learning_rate=chosen.learning_rate,
            warmup=20,
            weight_decay=0,
            averaging=0.98,
            save_every=0,
            seed=seed,
        ),
        compute=choose_compute(device, "float32"),
        logs=logs,
    )
    descent = trainer.run(progress).unless_interrupted()
    last = cast("_LastLayer", trainer.network.cpu().backbone)
    return last.linear.weight.detach(), descent

"""What was chosen for Omniglot, and the training that follows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.errors import SettingError
from sameface.training.augment import CharacterAugmentation
from sameface.training.export import Deployed, principal_directions
from sameface.training.loop.checkpoint import Checkpoint
from sameface.training.loop.device import choose_compute
from sameface.training.loop.logs import Log
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, TrainingResult, seeded
from sameface.training.losses import KochLoss, make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network
from sameface.training.pictures import Pictures
from sameface.training.recipes.omniglot.drawings import NETWORK_SIDE, OneShotRun
from sameface.training.recipes.omniglot.scoring import wrong_answers
from sameface.training.views import ViewKind

#: Drawings of each character that directions are fitted by.
_FIT_BY: Final = 5


@dataclass(frozen=True)
class OmniglotRecipe:
    """What was chosen, on background alphabets alone (docs/benchmarks.md says how).

    Attributes:
        loss, margin, mining, loss_settings: see `sameface.training.losses.make_loss`.
        steps: batches of `people` × `photos`.
        learning_rate: at its highest.
        widths: of the four blocks of the network.
        one_alphabet: share of batches from one alphabet, where characters are hardest to tell apart.
        turned_together: share of batches whose characters are all turned the same way.
        joined, bend, thicken: see `CharacterAugmentation`.
        views: of each drawing whose embeddings become one when it is asked about or enrolled, inside the exported network.
        kept: numbers that the embedding of all views is reduced to, by directions fitted on the characters trained on; None keeps all.
        precision: see `sameface.training.loop.device`.
    """

    loss: str = "SupConLoss"
    margin: float | None = None
    mining: str | None = None
    loss_settings: Mapping[str, float] = field(default_factory=lambda: {"temperature": 0.05})
    steps: int = 2600
    people: int = 32
    photos: int = 4
    learning_rate: float = 2e-3
    widths: tuple[int, ...] = (64, 128, 256, 256)
    dimension: int = 128
    one_alphabet: float = 0.6
    turned_together: float = 0.9
    joined: float = 0.3
    bend: float = 0.0
    thicken: float = 0.0
    views: ViewKind = "turned"
    kept: int | None = 128
    precision: str = "mixed"

    def __post_init__(self) -> None:
        if self.loss == "koch" and self.views == "turned":
            raise SettingError(
                expected="views one, mirror or moved, whose embedding is as long as the network's",
                got="loss koch, which learns a weight for each of the network's numbers, with views turned",
                advice="use moved with this loss",
            )

    def spec(self) -> NetworkSpec:
        """The network."""
        return NetworkSpec(
            "convnet",
            NETWORK_SIDE,
            1,
            self.dimension,
            intake="ink",
            shrink=2,
            views=self.views,
            options={"widths": self.widths},
        )


@dataclass(frozen=True)
class OmniglotResult:
    """One training, scored once.

    Attributes:
        error: share of the 400 official trials answered wrongly, by what is exported.
        error_one_view: the same without views: from each drawing as it is.
        wrong_by_run: ``(20,)`` wrong answers of 20.
        training: how the training went.
        network: the trained network, for export.
        spec: its description.
        directions: what embeddings are reduced by, for export; see `Deployed`.
    """

    error: float
    error_one_view: float
    wrong_by_run: npt.NDArray[np.int64]
    training: TrainingResult
    network: SiameseNetwork
    spec: NetworkSpec
    directions: Tensor | None


def fit_omniglot(
    background: Pictures,
    *,
    recipe: OmniglotRecipe | None = None,
    seed: int = 0,
    held_out: Pictures | None = None,
    device: str | None = None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
    logs: Sequence[Log] = (),
    checkpoint: Path | None = None,
    resume: Checkpoint | None = None,
) -> tuple[Trainer, TrainingResult]:
    """Train on background alphabets, and score nothing.

    Args:
        background: characters to train on.
        recipe: None takes the defaults.
        seed: of everything random.
        held_out: characters of a background alphabet that is not trained on, to watch; None trains on all.
        device: see `choose_compute`.
        progress, logs, checkpoint, resume: see `Trainer`.

    Returns:
        The trainer, whose `embed` and `network` are what was learned, and how it went.

    Raises:
        KeyboardInterrupt: Ctrl-C; the checkpoint is kept.
    """
    chosen = recipe or OmniglotRecipe()
    spec = chosen.spec()
    settings = TrainingSettings(
        steps=chosen.steps,
        people=chosen.people,
        photos=chosen.photos,
        learning_rate=chosen.learning_rate,
        one_group=chosen.one_alphabet,
        seed=seed,
        save_every=500 if checkpoint is not None else 0,
    )
    loss = make_loss(
        chosen.loss,
        dimension=spec.dimension,
        people=len(background.people),
        margin=chosen.margin,
        mining=chosen.mining,
        settings=chosen.loss_settings,
    )
    trainer = Trainer(
        seeded(seed, lambda: build_network(spec)),
        loss,
        background,
        settings,
        augmentation=CharacterAugmentation(
            NETWORK_SIDE,
            together=chosen.turned_together,
            joined=chosen.joined,
            bend=chosen.bend,
            thicken=chosen.thicken,
        ),
        held_out=held_out,
        compute=choose_compute(device, chosen.precision),
        checkpoint=checkpoint,
        logs=logs,
    )
    if resume is not None:
        trainer.resume(resume)
    return trainer, trainer.run(progress).unless_interrupted()


def train_omniglot(
    background: Pictures,
    runs: Sequence[OneShotRun],
    *,
    recipe: OmniglotRecipe | None = None,
    seed: int = 0,
    held_out: Pictures | None = None,
    device: str | None = None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
    logs: Sequence[Log] = (),
    checkpoint: Path | None = None,
    resume: Checkpoint | None = None,
) -> OmniglotResult:
    """Train on background alphabets and score the official runs once, at the end.

    Args:
        runs: see `read_runs`; only looked at after training.
        background, recipe, seed, held_out, device, progress, logs, checkpoint, resume: see `fit_omniglot`.

    Raises:
        KeyboardInterrupt: Ctrl-C; the checkpoint is kept and nothing is scored.
    """
    chosen = recipe or OmniglotRecipe()
    trainer, training = fit_omniglot(
        background,
        recipe=chosen,
        seed=seed,
        held_out=held_out,
        device=device,
        progress=progress,
        logs=logs,
        checkpoint=checkpoint,
        resume=resume,
    )
    compare = trainer.loss.similarity if isinstance(trainer.loss, KochLoss) else None
    directions = fitted_directions(background, trainer, chosen.spec(), chosen.kept)

    def errors(spec: NetworkSpec, reduced_by: Tensor | None) -> npt.NDArray[np.int64]:
        deployed = Deployed(trainer.network, spec, directions=reduced_by).to(trainer.compute.device)
        return wrong_answers(runs, lambda pixels: deployed(pixels.to(trainer.compute.device)).cpu(), similarity=compare)

    exported, alone = errors(chosen.spec(), directions), errors(replace(chosen.spec(), views="one"), None)
    asked = sum(len(run.answers) for run in runs)
    return OmniglotResult(
        error=float(exported.sum()) / asked,
        error_one_view=float(alone.sum()) / asked,
        wrong_by_run=exported,
        training=training,
        network=trainer.network,
        spec=chosen.spec(),
        directions=directions,
    )


def fitted_directions(background: Pictures, trainer: Trainer, spec: NetworkSpec, kept: int | None) -> Tensor | None:
    """Directions by which embeddings of all views are reduced, from some drawings of each character trained on.

    Args:
        background: what was trained on.
        trainer: after its training.
        spec: its network.
        kept: see `OmniglotRecipe`.

    Returns:
        See `Deployed`; None where nothing would be reduced.
    """
    if kept is None or kept >= Deployed(trainer.network, spec).dimension:
        return None
    of_each = [np.flatnonzero(background.labels == label)[:_FIT_BY] for label in range(len(background.people))]
    rows = torch.from_numpy(np.concatenate(of_each))
    with torch.no_grad():
        seen = torch.cat([trainer.embed(background.pixels[part]).cpu() for part in torch.split(rows, 64)])
    return principal_directions(seen, kept)

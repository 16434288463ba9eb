"""Omniglot: one-shot classification of handwritten characters from alphabets that were never trained on.

Data and official runs: Lake, Salakhutdinov, Tenenbaum, *Human-level concept learning through probabilistic program
induction*, Science 2015. Each of the 20 runs shows one drawing of each of 20 characters of one alphabet and asks for
20 more, by another hand: 400 trials, one answer each, every trial judged on its own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from sameface.errors import DataError
from sameface.training.augment import CharacterAugmentation
from sameface.training.augment.affine import AffineRange, random_affine, warp
from sameface.training.checkpoint import Checkpoint
from sameface.training.device import choose_compute
from sameface.training.logs import Log
from sameface.training.losses import KochLoss, make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network
from sameface.training.pictures import Pictures
from sameface.training.settings import TrainingSettings
from sameface.training.trainer import Trainer, TrainingResult, seeded

#: Characters are drawn on 105×105 pixels; stored at twice the network's side.
NETWORK_SIDE: Final = 32
STORED_SIDE: Final = 2 * NETWORK_SIDE


def _shrink(drawings: Sequence[bytes]) -> Tensor:
    """PNG files to ``(n, 1, 64, 64)`` uint8, black ink 0 on white 255, each pixel the mean of what it covers."""
    arrays = [np.asarray(Image.open(io.BytesIO(drawing)).convert("L"), dtype=np.float32) for drawing in drawings]
    full = torch.from_numpy(np.stack(arrays))[:, None]
    small = functional.interpolate(full, size=(STORED_SIDE, STORED_SIDE), mode="bilinear", antialias=True)
    return small.round().clamp(0, 255).to(torch.uint8)


def read_background(archive: Path) -> Pictures:
    """Read ``images_background_small1.zip`` or another background set.

    Returns:
        Pictures labelled ``Alphabet/character01``; groups are alphabets, in order of their names.

    Raises:
        DataError: not such an archive.
    """
    drawings: list[bytes] = []
    owners: list[str] = []
    for name, content in _drawings(archive):
        parts = name.split("/")
        if len(parts) == 4:
            owners.append("/".join(parts[1:3]))
            drawings.append(content)
    people = tuple(sorted(set(owners)))
    if len(people) < 2:
        raise DataError(
            expected="Omniglot's images_background*.zip",
            got=f"{archive} without drawings",
            advice="fetch the archive again",
        )
    alphabets = sorted({name.split("/")[0] for name in people})
    place = {name: label for label, name in enumerate(people)}
    labels = np.array([place[name] for name in owners], dtype=np.int64)
    groups = np.array([alphabets.index(name.split("/")[0]) for name in owners], dtype=np.int64)
    return Pictures(_shrink(drawings), labels, people, groups)


@dataclass(frozen=True)
class OneShotRun:
    """One official run.

    Attributes:
        enrolled: ``(20, 1, 64, 64)`` uint8, one drawing of each character.
        asked: ``(20, 1, 64, 64)`` uint8.
        answers: ``(20,)`` which enrolled character each asked drawing shows.
    """

    enrolled: Tensor
    asked: Tensor
    answers: npt.NDArray[np.int64]


def read_runs(archive: Path) -> list[OneShotRun]:
    """Read ``all_runs.zip``: 20 runs, in order.

    Raises:
        DataError: not such an archive.
    """
    files = dict(_drawings(archive))
    with zipfile.ZipFile(archive) as opened:
        tables = sorted(
            name for name in opened.namelist() if name.endswith("class_labels.txt") and "__MACOSX" not in name
        )
        pairs = {
            name: [line.split() for line in opened.read(name).decode().splitlines() if line.strip()] for name in tables
        }
    if not tables:
        raise DataError(
            expected="Omniglot's all_runs.zip", got=f"{archive} without runs", advice="fetch the archive again"
        )
    runs = []
    for name in tables:
        asked = [pair[0] for pair in pairs[name]]
        classes = sorted({pair[1] for pair in pairs[name]})
        answers = np.array([classes.index(pair[1]) for pair in pairs[name]], dtype=np.int64)
        # The tables name files from the archive's root, with or without a leading folder.
        lookup = {key.split("/", key.count("/") - 2)[-1]: value for key, value in files.items()}
        runs.append(
            OneShotRun(_shrink([lookup[item] for item in classes]), _shrink([lookup[item] for item in asked]), answers)
        )
    return runs


def _drawings(archive: Path) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            return [
                (name, opened.read(name))
                for name in sorted(opened.namelist())
                if name.endswith(".png") and "__MACOSX" not in name
            ]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            expected=f"an archive at {archive}", got=str(error), advice="fetch it from Omniglot's page"
        ) from error


def wrong_answers(
    runs: Sequence[OneShotRun],
    embed: Callable[[Tensor], Tensor],
    *,
    similarity: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> npt.NDArray[np.int64]:
    """Score the official protocol, each asked drawing on its own.

    Args:
        runs: see `read_runs`.
        embed: ``(m, 1, 64, 64)`` uint8 to ``(m, d)``.
        similarity: a learned comparison, row by row, where the loss has one (Koch's); None compares by L2 distance.

    Returns:
        ``(runs,)`` wrong answers of 20 each.
    """
    wrong = []
    for run in runs:
        with torch.no_grad():
            gallery, probes = embed(run.enrolled).float(), embed(run.asked).float()
            if similarity is None:
                distances = torch.cdist(probes, gallery)
            else:
                distances = torch.stack([-similarity(probe.expand_as(gallery), gallery) for probe in probes])
        nearest = distances.argmin(dim=1).numpy()
        wrong.append(int((nearest != run.answers).sum()))
    return np.array(wrong, dtype=np.int64)


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
        jitters: views of each drawing that are averaged when it is asked about or enrolled; 1 is the drawing alone.
        precision: see `sameface.training.device`.
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
    turned_together: float = 0.6
    joined: float = 0.3
    bend: float = 0.0
    thicken: float = 0.0
    jitters: int = 16
    precision: str = "mixed"

    def spec(self) -> NetworkSpec:
        """The network."""
        return NetworkSpec(
            "convnet", NETWORK_SIDE, 1, self.dimension, intake="ink", shrink=2, options={"widths": self.widths}
        )


@dataclass(frozen=True)
class OmniglotResult:
    """One training, scored once.

    Attributes:
        error: share of the 400 official trials answered wrongly, with `OmniglotRecipe.jitters` views.
        error_one_view: the same from each drawing alone.
        wrong_by_run: ``(20,)`` wrong answers of 20.
        training: how the training went.
        network: the trained network, for export.
        spec: its description.
    """

    error: float
    error_one_view: float
    wrong_by_run: npt.NDArray[np.int64]
    training: TrainingResult
    network: SiameseNetwork
    spec: NetworkSpec


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
        background: characters to train on.
        runs: see `read_runs`; only looked at after training.
        recipe: None takes the defaults.
        seed: of everything random.
        held_out: characters of a background alphabet that is not trained on, to watch; None trains on all.
        device: see `choose_compute`.
        progress, logs, checkpoint, resume: see `Trainer`.

    Raises:
        KeyboardInterrupt: Ctrl-C; the checkpoint is kept and nothing is scored.
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
        spec,
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
    training = trainer.run(progress).unless_interrupted()
    compare = loss.similarity if isinstance(loss, KochLoss) else None
    views = wrong_answers(runs, lambda pixels: embed_views(trainer.embed, pixels, chosen.jitters), similarity=compare)
    alone = wrong_answers(runs, trainer.embed, similarity=compare)
    asked = sum(len(run.answers) for run in runs)
    return OmniglotResult(
        float(views.sum()) / asked, float(alone.sum()) / asked, views, training, trainer.network, spec
    )


def embed_views(embed: Callable[[Tensor], Tensor], pixels: Tensor, views: int) -> Tensor:
    """The mean of the embeddings of a drawing and of slightly moved copies of it, scaled to length 1.

    Args:
        embed: ``(m, 1, 64, 64)`` to ``(m, d)``.
        pixels: ``(m, 1, 64, 64)``.
        views: 1 or more; the first is the drawing itself, the others are the same moves for every drawing.
    """
    total = embed(pixels)
    limits = AffineRange(degrees=7.5, log_scale=0.1, shear=0.12, shift=0.06)
    moves = random_affine(max(0, views - 1), limits, torch.Generator().manual_seed(0))
    ink = 255 - pixels.float()
    for move in moves:
        total = total + embed(255 - warp(ink, move.expand(len(ink), 2, 3), STORED_SIDE))
    return functional.normalize(total, dim=1)

"""ORL: a small Siamese network from 30 people, asked about 10 others by one photo each.

Data: AT&T Laboratories Cambridge, 40 people × 10 grey photos of 92×112. Five splits of people; in each, every one of the
ten photos of the strangers is the enrolled one in turn, and the other nine are asked about: 900 trials a split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.encoders.crops import scale_crops
from sameface.imaging import load_image
from sameface.training.augment import FaceAugmentation
from sameface.training.export import export_encoder
from sameface.training.loop.device import choose_compute
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, TrainingResult, seeded
from sameface.training.losses import make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network
from sameface.training.pictures import Pictures, files_by_person, read_pictures
from sameface.training.recipes.run import RecipeResult, RecipeRun

SIDE = 48


@dataclass(frozen=True)
class OrlRecipe:
    """What was chosen, on strangers of the first split's 30 people."""

    loss: str = "triplet"
    mining: str | None = "semi-hard"
    steps: int = 300
    people: int = 20
    photos: int = 4
    learning_rate: float = 1e-3
    widths: tuple[int, ...] = (16, 32, 64, 64)
    dimension: int = 128
    dropout: float = 0.1

    def spec(self) -> NetworkSpec:
        """The network."""
        return NetworkSpec(
            "convnet",
            SIDE,
            1,
            self.dimension,
            intake="per-image",
            options={"widths": self.widths, "dropout": self.dropout},
        )


def read_orl(folder: Path) -> Pictures:
    """40 people × 10 photos, scaled to 48×48 grey."""
    files, skipped = files_by_person(folder)

    def read(path: Path) -> npt.NDArray[np.uint8]:
        picture: npt.NDArray[np.uint8] = scale_crops(load_image(path)[None], (SIDE, SIDE))[0][..., :1]
        return picture

    return read_pictures(files, read, skipped=skipped)


def split_of(number: int, people: int = 40, strangers: int = 10) -> tuple[list[int], list[int]]:
    """The n-th split of people into those trained on and strangers."""
    order = np.random.default_rng([number, 0x0121]).permutation(people)
    return sorted(order[strangers:].tolist()), sorted(order[:strangers].tolist())


def one_shot_trials(embeddings: npt.NDArray[np.floating], labels: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Wrong answers and trials, with each photo of a person the enrolled one in turn.

    Args:
        embeddings: ``(n, d)``; a row of NaN is a photo without a face: never right, never the nearest.
        labels: ``(n,)``, as many photos of everybody.
    """
    photos = int((labels == labels[0]).sum())
    wrong = trials = 0
    for enrolled in range(photos):
        rows = np.array([np.flatnonzero(labels == label)[enrolled] for label in np.unique(labels)])
        probes = np.setdiff1d(np.arange(len(labels)), rows)
        apart = np.linalg.norm(embeddings[probes][:, None] - embeddings[rows][None], axis=2)
        apart = np.where(np.isnan(apart), np.inf, apart)
        answers = labels[rows][apart.argmin(axis=1)]
        wrong += int(((answers != labels[probes]) | np.isinf(apart.min(axis=1))).sum())
        trials += len(probes)
    return wrong, trials


def train_orl(
    pictures: Pictures,
    *,
    recipe: OrlRecipe | None = None,
    seed: int = 0,
    device: str | None = None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
) -> tuple[SiameseNetwork, NetworkSpec, Callable[[Tensor], Tensor], TrainingResult]:
    """Train on some people.

    Returns:
        The network, its description, a function from stored pixels to embeddings, how training went.
    """
    chosen = recipe or OrlRecipe()
    spec = chosen.spec()
    settings = TrainingSettings(
        steps=chosen.steps,
        people=chosen.people,
        photos=chosen.photos,
        learning_rate=chosen.learning_rate,
        seed=seed,
        save_every=0,
        averaging=0.98,
    )
    loss = make_loss(chosen.loss, dimension=chosen.dimension, people=len(pictures.people), mining=chosen.mining)
    trainer = Trainer(
        seeded(seed, lambda: build_network(spec)),
        loss,
        pictures,
        settings,
        augmentation=FaceAugmentation(blur=0),
        compute=choose_compute(device),
    )
    result = trainer.run(progress).unless_interrupted()
    return trainer.network, spec, trainer.embed, result


def embeddings_of(embed: Callable[[Tensor], Tensor], pictures: Pictures) -> npt.NDArray[np.float32]:
    """Embeddings of all pictures."""
    with torch.no_grad():
        vectors: npt.NDArray[np.float32] = embed(pictures.in_memory).float().cpu().numpy()
    return vectors


def study_orl(run: RecipeRun) -> RecipeResult:
    """`sameface train … --recipe orl`: five splits, each trained and asked about its strangers; the first is exported."""
    recipe = OrlRecipe() if run.steps is None else replace(OrlRecipe(), steps=run.steps)
    pictures = read_orl(run.data)
    run.started("5 splits: 30 people to train on, 10 strangers to tell apart by one photo each")
    errors, pixel_errors, seconds = [], [], 0.0
    for split in range(5):
        kept, strangers = split_of(split)
        others = pictures.of_people(strangers)

        def tell(step: int, numbers: Mapping[str, float], split: int = split) -> None:
            run.progress(split * recipe.steps + step, 5 * recipe.steps, numbers)

        network, spec, embed, training = train_orl(
            pictures.of_people(kept), recipe=recipe, seed=run.seed + split, device=run.device, progress=tell
        )
        wrong, trials = one_shot_trials(embeddings_of(embed, others), others.labels)
        errors.append(wrong / trials)
        plain = others.in_memory.flatten(1).numpy().astype(np.float64) / 255
        wrong, trials = one_shot_trials(plain, others.labels)
        pixel_errors.append(wrong / trials)
        seconds += training.cpu_seconds
        if split == 0:
            export_encoder(network, spec, run.out / "orl.onnx", title="ORL faces", training_data="ORL, 30 of 40 people")
    mean, pixels = float(np.mean(errors)), float(np.mean(pixel_errors))
    return RecipeResult(
        {
            "errors": errors,
            "mean_error": mean,
            "pixel_errors": pixel_errors,
            "mean_pixel_error": pixels,
            "cpu_seconds": seconds,
        },
        (
            f"10-way one-shot error on strangers, mean of 5 splits: {100 * mean:.1f} %; raw pixels {100 * pixels:.1f} %",
            f"{run.out / 'orl.onnx'}, {seconds:.0f} CPU seconds",
        ),
    )

"""LFW: a head on the pretrained encoder, for photos of a bad camera.

Photos are shrunk until faces are 24 pixels wide, enlarged again, and stored as JPEG of quality 20. The head learns
from the people of ``peopleDevTrain`` (View 1), none of whom is in ``pairsDevTest``, where it is measured. The network below it stays as it is,
so embeddings are computed once and training takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sameface.errors import DataError, SamefaceError
from sameface.imaging import load_image
from sameface.metrics import bootstrap_interval, curve, equal_error_rate
from sameface.progress import Advance
from sameface.recognizer import Recognizer
from sameface.training.degrade import degrade
from sameface.training.device import choose_compute
from sameface.training.logs import Log
from sameface.training.losses import make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network
from sameface.training.pictures import Pictures, split_by_person
from sameface.training.settings import TrainingSettings
from sameface.training.trainer import Trainer, TrainingResult, seeded
from sameface.types import Embeddings, ImageRGB, Interval

#: Width of a face after shrinking, in pixels, and width of an LFW face as MTCNN boxes it (mean of 42: 92.5).
FACE_WIDTH: Final = 24
LFW_FACE_WIDTH: Final = 92.5
JPEG_QUALITY: Final = 20


class PhotoKey(NamedTuple):
    """A photo of LFW: ``Ada_Lovelace``, 3 is ``Ada_Lovelace/Ada_Lovelace_0003.jpg``."""

    person: str
    number: int

    def within(self, images: Path) -> Path:
        """Its file in the folder of images."""
        return images / self.person / f"{self.person}_{self.number:04d}.jpg"


class Pair(NamedTuple):
    """Two photos and whether they show one person."""

    first: PhotoKey
    second: PhotoKey
    same: bool


def read_people(path: Path) -> dict[str, int]:
    """``peopleDevTrain.txt``: how many photos each person has."""
    rows = [line.split("\t") for line in _lines(path)]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def read_pairs(path: Path) -> list[Pair]:
    """``pairsDevTest.txt``: mated pairs have three columns, non-mated ones four."""
    pairs = []
    for row in (line.split("\t") for line in _lines(path)):
        if len(row) == 3:
            pairs.append(Pair(PhotoKey(row[0], int(row[1])), PhotoKey(row[0], int(row[2])), True))
        elif len(row) == 4:
            pairs.append(Pair(PhotoKey(row[0], int(row[1])), PhotoKey(row[2], int(row[3])), False))
    return pairs


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(
            expected=f"LFW's list at {path}", got=str(error), advice="give the folder that LFW lies in"
        ) from error


def photos_to_learn_from(people: Mapping[str, int], images: Path, most: int) -> list[PhotoKey]:
    """Up to `most` photos of everybody who has two or more; one photo of a person cannot show what stays the same."""
    keys = [PhotoKey(name, number) for name, count in people.items() if count > 1 for number in range(1, count + 1)]
    return [key for key in keys if key.number <= most and key.within(images).is_file()]


@dataclass(frozen=True)
class EmbeddedPhotos:
    """Embeddings by photo.

    Attributes:
        rows: where each photo lies in `vectors`; a photo without a face is missing.
        vectors: ``(n, d)``.
        missing: how many photos showed no face.
    """

    rows: Mapping[PhotoKey, int]
    vectors: Embeddings
    missing: int


def embed_photos(
    recognizer: Recognizer,
    images: Path,
    keys: Sequence[PhotoKey],
    *,
    change: Callable[[ImageRGB], ImageRGB] | None = None,
    progress: Advance | None = None,
) -> EmbeddedPhotos:
    """Encode the face nearest the middle of each photo.

    Args:
        recognizer: detector and pretrained encoder.
        images: the folder of images.
        keys: which photos.
        change: made to each photo before anything looks at it.
        progress: called with photos done since the last call.
    """

    def photos() -> Iterator[ImageRGB]:
        for key in keys:
            image = load_image(key.within(images))
            yield image if change is None else change(image)

    rows: dict[PhotoKey, int] = {}
    vectors: list[Embeddings] = []
    for key, answer in zip(keys, recognizer.encode_photos(photos(), choose="centre"), strict=True):
        if not isinstance(answer, SamefaceError):
            rows[key] = len(vectors)
            vectors.append(answer.embedding)
        if progress is not None:
            progress(1)
    dimension = recognizer.card.dimension
    stacked = np.stack(vectors) if vectors else np.empty((0, dimension), dtype=np.float32)
    return EmbeddedPhotos(rows, stacked, len(keys) - len(rows))


def bad_camera(image_rgb: ImageRGB) -> ImageRGB:
    """The photo as the recipe's bad camera takes it."""
    return degrade(image_rgb, shrink=FACE_WIDTH / LFW_FACE_WIDTH, quality=JPEG_QUALITY)


@dataclass(frozen=True)
class PairResult:
    """Verification on a list of pairs.

    Attributes:
        eer: equal error rate; a pair with a photo without a face counts as infinitely far apart.
        interval: 95 %, bootstrap over people.
        pairs, missing: how many, and how many of them had a photo without a face.
    """

    eer: float
    interval: Interval
    pairs: int
    missing: int


def measure_pairs(
    pairs: Sequence[Pair], photos: EmbeddedPhotos, change: Callable[[Embeddings], Embeddings] | None = None
) -> PairResult:
    """EER on a list of pairs.

    Args:
        pairs: see `read_pairs`.
        photos: embeddings of their photos.
        change: maps embeddings (a trained head); None compares them as they are.
    """
    vectors = photos.vectors if change is None else change(photos.vectors)
    distances = np.full(len(pairs), np.inf)
    for number, pair in enumerate(pairs):
        first, second = photos.rows.get(pair.first), photos.rows.get(pair.second)
        if first is not None and second is not None:
            distances[number] = np.linalg.norm(vectors[first].astype(np.float64) - vectors[second])
    same = np.array([pair.same for pair in pairs])
    names = sorted({key.person for pair in pairs for key in (pair.first, pair.second)})
    place = {name: number for number, name in enumerate(names)}
    owners = np.array([[place[pair.first.person], place[pair.second.person]] for pair in pairs])

    def eer(weights: npt.NDArray[np.intp]) -> float:
        times = np.where(same, weights[owners[:, 0]], weights[owners[:, 0]] * weights[owners[:, 1]])
        mated, non_mated = np.repeat(distances[same], times[same]), np.repeat(distances[~same], times[~same])
        return equal_error_rate(curve(mated, non_mated))[0] if len(mated) and len(non_mated) else float("nan")

    value = equal_error_rate(curve(distances[same], distances[~same]))[0]
    return PairResult(
        value, bootstrap_interval(eer, len(names), replicates=500), len(pairs), int(np.isinf(distances).sum())
    )


@dataclass(frozen=True)
class LfwHeadRecipe:
    """What was chosen, on people of ``peopleDevTrain`` held out from training.

    Attributes:
        loss, loss_settings: see `make_loss`.
        most_photos: of one person that are learned from.
        clean_too: whether the undamaged photos are learned from as well: a head that knows both pulls the damaged
            one to the other.
        held_out: share of people for early stopping.
    """

    loss: str = "SupConLoss"
    loss_settings: Mapping[str, float] | None = None
    steps: int = 1500
    people: int = 64
    photos: int = 4
    learning_rate: float = 1e-4
    hidden: int = 512
    dropout: float = 0.2
    most_photos: int = 8
    clean_too: bool = True
    held_out: float = 0.15


def train_head(
    sets: Sequence[EmbeddedPhotos],
    watch: EmbeddedPhotos,
    *,
    recipe: LfwHeadRecipe,
    seed: int = 0,
    device: str | None = None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
    logs: Sequence[Log] = (),
) -> tuple[SiameseNetwork, NetworkSpec, TrainingResult]:
    """Train a head on embeddings.

    Args:
        sets: embeddings of the same photos, damaged and undamaged.
        watch: the damaged ones, which the held-out people are measured on.
        recipe, seed, device, progress, logs: as elsewhere.
    """
    people = sorted({key.person for photos in sets for key in photos.rows})
    place = {name: label for label, name in enumerate(people)}

    def pictures(chosen: Sequence[EmbeddedPhotos]) -> Pictures:
        vectors = np.concatenate([photos.vectors for photos in chosen])
        labels = np.array([place[key.person] for photos in chosen for key in photos.rows], dtype=np.int64)
        return Pictures(torch.from_numpy(vectors), labels, tuple(people))

    every = pictures(sets)
    kept, held = split_by_person(pictures([watch]).labels, recipe.held_out, seed)
    training, held_out = every.of_people(kept), pictures([watch]).of_people(held)
    dimension = every.pixels.shape[1]
    spec = NetworkSpec(
        "head", 0, 0, dimension, intake="none", options={"hidden": recipe.hidden, "dropout": recipe.dropout}
    )
    settings = TrainingSettings(
        steps=recipe.steps,
        people=recipe.people,
        photos=recipe.photos,
        learning_rate=recipe.learning_rate,
        validate_every=50,
        patience=6,
        save_every=0,
        seed=seed,
    )
    loss = make_loss(
        recipe.loss,
        dimension=dimension,
        people=len(training.people),
        settings=dict(recipe.loss_settings or {"temperature": 0.2}),
    )
    network = seeded(seed, lambda: build_network(spec))
    trainer = Trainer(
        network, spec, loss, training, settings, held_out=held_out, compute=choose_compute(device, "float32"), logs=logs
    )
    result = trainer.run(progress).unless_interrupted()
    return trainer.network, spec, result


def apply_head(network: SiameseNetwork) -> Callable[[Embeddings], Embeddings]:
    """A trained head as a function on embeddings."""

    def change(vectors: Embeddings) -> Embeddings:
        with torch.no_grad():
            mapped: Embeddings = network.cpu().embed(torch.from_numpy(vectors)).numpy()
        return mapped

    return change

"""LFW: a head on the pretrained encoder, for photos of a bad camera.

Photos are shrunk until faces are 24 pixels wide, enlarged again, and stored as JPEG of quality 20. The head learns
from the people of ``peopleDevTrain`` (View 1), none of whom is in ``pairsDevTest``, where it is measured. The network below it stays as it is,
so embeddings are computed once and training takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from sameface.datasets import LabelledPhotos, PairList, read_folder, read_lfw_pairs, read_lfw_people
from sameface.datasets.photo import Photo, source_of
from sameface.errors import SamefaceError
from sameface.imaging import load_image
from sameface.metrics import bootstrap_interval, curve, equal_error_rate
from sameface.progress import Advance
from sameface.recognizer import Recognizer
from sameface.training.degrade import degrade
from sameface.training.export.head import export_head
from sameface.training.loop.device import choose_compute
from sameface.training.loop.logs import Log
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, TrainingResult, seeded
from sameface.training.losses import make_loss
from sameface.training.networks import NetworkSpec, SiameseNetwork, build_network
from sameface.training.pictures import Pictures, split_by_person
from sameface.training.recipes.run import RecipeResult, RecipeRun
from sameface.types import Embeddings, ImageRGB, Interval

#: Width of a face after shrinking, in pixels, and width of an LFW face as MTCNN boxes it (mean of 42: 92.5).
FACE_WIDTH: Final = 24
LFW_FACE_WIDTH: Final = 92.5
JPEG_QUALITY: Final = 20


def photos_to_learn_from(people: LabelledPhotos, most: int) -> list[Photo]:
    """Up to `most` photos of everybody who has two or more; one photo of a person cannot show what stays the same."""
    counts = np.bincount(people.people, minlength=len(people.names))
    several = people.only(np.flatnonzero(counts[people.people] > 1).tolist())
    return list(several.at_most(most).photos)


@dataclass(frozen=True)
class EmbeddedPhotos:
    """Embeddings by photo.

    Attributes:
        rows: where each photo lies in `vectors`; a photo without a face is missing.
        vectors: ``(n, d)``.
        missing: how many photos showed no face.
    """

    rows: Mapping[Photo, int]
    vectors: Embeddings
    missing: int


def embed_photos(
    recognizer: Recognizer,
    photos: Sequence[Photo],
    *,
    change: Callable[[ImageRGB], ImageRGB] | None = None,
    progress: Advance | None = None,
) -> EmbeddedPhotos:
    """Encode the face nearest the middle of each photo.

    Args:
        recognizer: detector and pretrained encoder.
        photos: their files.
        change: made to each photo before anything looks at it.
        progress: called with photos done since the last call.
    """

    def images() -> Iterator[ImageRGB]:
        for photo in photos:
            image = load_image(source_of(photo))
            yield image if change is None else change(image)

    rows: dict[Photo, int] = {}
    vectors: list[Embeddings] = []
    for photo, answer in zip(photos, recognizer.encode_photos(images(), choose="centre"), strict=True):
        if not isinstance(answer, SamefaceError):
            rows[photo] = len(vectors)
            vectors.append(answer.embedding)
        if progress is not None:
            progress(1)
    dimension = recognizer.card.dimension
    stacked = np.stack(vectors) if vectors else np.empty((0, dimension), dtype=np.float32)
    return EmbeddedPhotos(rows, stacked, len(photos) - len(rows))


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


def distances_of(
    pairs: PairList, photos: EmbeddedPhotos, change: Callable[[Embeddings], Embeddings] | None = None
) -> npt.NDArray[np.float64]:
    """``(n,)`` L2 distances of a list of pairs; ``inf`` where a photo had no face.

    Args:
        pairs, photos, change: see `measure_pairs`.
    """
    vectors = photos.vectors if change is None else change(photos.vectors)
    rows = np.array([photos.rows.get(photo, -1) for photo in pairs.photos])
    first, second = rows[pairs.a], rows[pairs.b]
    distances = np.full(len(pairs.a), np.inf)
    both = (first >= 0) & (second >= 0)
    distances[both] = np.linalg.norm(vectors[first[both]].astype(np.float64) - vectors[second[both]], axis=1)
    return distances


def measure_pairs(
    pairs: PairList, photos: EmbeddedPhotos, change: Callable[[Embeddings], Embeddings] | None = None
) -> PairResult:
    """EER on a list of pairs.

    Args:
        pairs: with its photos.
        photos: embeddings of them.
        change: maps embeddings (a trained head); None compares them as they are.
    """
    distances = distances_of(pairs, photos, change)
    both = np.isfinite(distances)
    same, people = pairs.same, int(pairs.people.max()) + 1
    owners = np.stack([pairs.person_a, pairs.person_b], axis=1)

    def eer(weights: npt.NDArray[np.intp]) -> float:
        times = np.where(same, weights[owners[:, 0]], weights[owners[:, 0]] * weights[owners[:, 1]])
        mated, non_mated = np.repeat(distances[same], times[same]), np.repeat(distances[~same], times[~same])
        return equal_error_rate(curve(mated, non_mated))[0] if len(mated) and len(non_mated) else float("nan")

    value = equal_error_rate(curve(distances[same], distances[~same]))[0]
    return PairResult(value, bootstrap_interval(eer, people, replicates=500), len(pairs.a), int((~both).sum()))


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
    people = sorted({photo.parent.name for photos in sets for photo in photos.rows})
    place = {name: label for label, name in enumerate(people)}

    def pictures(chosen: Sequence[EmbeddedPhotos]) -> Pictures:
        vectors = np.concatenate([photos.vectors for photos in chosen])
        labels = np.array([place[photo.parent.name] for photos in chosen for photo in photos.rows], dtype=np.int64)
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
        network, loss, training, settings, held_out=held_out, compute=choose_compute(device, "float32"), logs=logs
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


def study_lfw(run: RecipeRun) -> RecipeResult:
    """`sameface train … --recipe lfw`: a head for a bad camera, measured before and after on people it never saw."""
    recipe = LfwHeadRecipe() if run.steps is None else replace(LfwHeadRecipe(), steps=run.steps)
    recognizer = Recognizer()
    images = run.data / "images"
    pairs = read_lfw_pairs(images, run.data / "pairsDevTest.txt")
    people = read_folder(images, only=read_lfw_people(run.data / "peopleDevTrain.txt"))
    photos = photos_to_learn_from(people, recipe.most_photos)
    total = 2 * len(photos) + len(pairs.photos)
    run.started(f"encoding {total} photos on {recognizer.space}, damaged and undamaged")
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        run.progress(done, total, {})

    test = embed_photos(recognizer, pairs.photos, change=bad_camera, progress=tell)
    damaged = embed_photos(recognizer, photos, change=bad_camera, progress=tell)
    clean = embed_photos(recognizer, photos, progress=tell)
    network, _, training = train_head([damaged, clean], damaged, recipe=recipe, seed=run.seed, device=run.device)
    before, after = measure_pairs(pairs, test), measure_pairs(pairs, test, apply_head(network))
    path = run.out / "lfw-head.onnx"
    export_head(network, recognizer.card, path, title="A head for a bad camera", training_data="LFW peopleDevTrain")
    words = [
        f"{name}: EER {100 * result.eer:.2f} % [{100 * result.interval.low:.2f}, {100 * result.interval.high:.2f}]"
        for name, result in (("before", before), ("after", after))
    ]
    return RecipeResult(
        {
            "before": {"eer": before.eer, "low": before.interval.low, "high": before.interval.high},
            "after": {"eer": after.eer, "low": after.interval.low, "high": after.interval.high},
            "pairs": before.pairs,
            "pairs_without_face": before.missing,
            "cpu_seconds": training.cpu_seconds,
            "encoder": str(path),
        },
        (
            f"pairsDevTest with faces of {FACE_WIDTH} pixels and JPEG {JPEG_QUALITY}: " + ", ".join(words),
            f"{path}, {training.cpu_seconds:.0f} CPU seconds of training",
        ),
    )

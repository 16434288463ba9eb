"""`sameface train … --recipe lfw-scratch`: train on View 1's training people, export, ask the file about ``pairsDevTest``, once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sameface.datasets import PairList, read_folder, read_lfw_pairs, read_lfw_people
from sameface.defaults import DEFAULT_DETECTOR
from sameface.metrics import accuracy_by_fold, mean_and_standard_error, person_disjoint_folds
from sameface.models.card import Measurement
from sameface.models.card_file import read_card_file
from sameface.recognizer import Recognizer
from sameface.training.export import export_encoder, write_card_beside
from sameface.training.folder.plan import LANDMARKS, TEMPLATE
from sameface.training.folder.reading import read_as_planned
from sameface.training.folder.sources import Source
from sameface.training.loop.logs import CsvLog
from sameface.training.loop.trainer import COLUMNS
from sameface.training.recipes.lfw import EmbeddedPhotos, distances_of, embed_photos, measure_pairs
from sameface.training.recipes.lfw_scratch.recipe import LfwScratchRecipe, train_lfw_scratch
from sameface.training.recipes.run import RecipeResult, RecipeRun

FOLDS = 10


@dataclass(frozen=True)
class Accuracy:
    """Share of pairs decided rightly, as LFW is published: mean over folds of people, the threshold of each from the others.

    Attributes:
        mean, standard_error: over the folds.
        right: of all pairs.
    """

    mean: float
    standard_error: float
    right: int


def accuracy_of(pairs: PairList, photos: EmbeddedPhotos) -> Accuracy:
    """Accuracy on pairs that have no folds of their own; a pair with a photo without a face is an error."""
    people = (pairs.person_a, pairs.person_b)
    fold = person_disjoint_folds(*people, FOLDS, seed=0)
    results = accuracy_by_fold(distances_of(pairs, photos), pairs.same, fold, people=people)
    mean, error = mean_and_standard_error([each.accuracy for each in results])
    return Accuracy(mean, error, round(sum(each.accuracy * each.pairs for each in results)))


def study_lfw_scratch(run: RecipeRun) -> RecipeResult:
    """The whole study."""
    recipe = LfwScratchRecipe() if run.steps is None else replace(LfwScratchRecipe(), steps=run.steps)
    images = run.data / "images"
    people = read_folder(images, only=read_lfw_people(run.data / "peopleDevTrain.txt"))
    pairs = read_lfw_pairs(images, run.data / "pairsDevTest.txt")
    run.started(f"finding the faces of {len(people.photos)} photos, unless they lie in the cache folder")
    pictures = read_as_planned(
        images,
        recipe.plan(),
        recipe.spec(),
        Source(people, []),
        reading=lambda done, all_: run.progress(done, all_, {}),
    )
    log = CsvLog(run.out / "log.csv", COLUMNS)
    try:
        result = train_lfw_scratch(
            pictures,
            recipe=recipe,
            seed=run.seed,
            device=run.device,
            started=run.started,
            progress=lambda step, numbers: run.progress(step, recipe.steps, numbers),
            logs=[log],
        )
    finally:
        log.close()
    path = run.out / "lfw-scratch.onnx"
    export_encoder(
        result.network,
        result.spec,
        path,
        title="Faces, from scratch on LFW's training people",
        training_data=f"LFW peopleDevTrain: {len(pictures)} photos of {len(pictures.people)} people",
        commercial_use="no",
        licence_note="LFW is a research benchmark; its publisher warns against commercial conclusions.",
        landmarks=LANDMARKS,
        template=TEMPLATE,
    )
    recognizer = Recognizer(encoder=str(path), detector=DEFAULT_DETECTOR)
    run.started(f"asking {path.name} about {len(pairs.a)} pairs")
    photos = embed_photos(recognizer, pairs.photos)
    accuracy, errors = accuracy_of(pairs, photos), measure_pairs(pairs, photos)
    measured = Measurement(
        "LFW View 1, pairsDevTest",
        f"{accuracy.right} of {errors.pairs} right ({100 * accuracy.mean:.1f} %)",
        DEFAULT_DETECTOR,
        "thresholds from other people of these pairs",
    )
    write_card_beside(replace(read_card_file(path.with_suffix(".toml")), measured=(measured,)), path)
    return RecipeResult(
        {
            "accuracy": accuracy.mean,
            "standard_error": accuracy.standard_error,
            "eer": errors.eer,
            "eer_low": errors.interval.low,
            "eer_high": errors.interval.high,
            "pairs": errors.pairs,
            "pairs_without_face": errors.missing,
            "photos": len(pictures),
            "people": len(pictures.people),
            "cpu_seconds": result.cpu_seconds,
            "encoder": str(path),
        },
        (
            f"pairsDevTest, {errors.pairs} pairs by the exported file: {100 * accuracy.mean:.2f} ± {100 * accuracy.standard_error:.2f} % right, "
            f"EER {100 * errors.eer:.2f} % [{100 * errors.interval.low:.2f}, {100 * errors.interval.high:.2f}]",
            f"{path}, {result.cpu_seconds:.0f} CPU seconds from crops to the network",
        ),
    )

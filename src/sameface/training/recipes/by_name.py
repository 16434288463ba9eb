"""Recipes by name, each with what it prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sameface.datasets import read_folder, read_lfw_pairs, read_lfw_people
from sameface.errors import SettingError
from sameface.models.card import Measurement
from sameface.training.beforehand import keep_finished
from sameface.training.checkpoint import load_checkpoint
from sameface.training.export import export_encoder
from sameface.training.export_head import export_head
from sameface.training.logs import CsvLog
from sameface.training.recipes import lfw, omniglot, orl
from sameface.training.trainer import COLUMNS

Progress = Callable[[int, int, Mapping[str, float]], None]
Note = Callable[[str], None]

#: Name → what its folder must hold.
RECIPES: Final = {
    "omniglot": "images_background_small1.zip (or small2) and all_runs.zip",
    "orl": "s1/1.pgm … s40/10.pgm",
    "lfw": "images/, peopleDevTrain.txt, pairsDevTest.txt",
}


@dataclass(frozen=True)
class RecipeResult:
    """What a recipe found: numbers for programs, lines for people."""

    numbers: dict[str, Any]
    lines: tuple[str, ...]


def run_recipe(
    name: str,
    data: Path,
    out: Path,
    *,
    background: str,
    steps: int | None,
    seed: int,
    device: str | None,
    resume: bool = False,
    overwrite: bool = False,
    started: Note,
    progress: Progress,
) -> RecipeResult:
    """Run one.

    Args:
        name: a key of `RECIPES`.
        data: the folder of its data set.
        out: for the encoder and the log.
        background: Omniglot's background set.
        steps: instead of the recipe's own.
        seed, device: as elsewhere.
        resume: go on from the checkpoint in `out`; omniglot's alone keeps one, the others take a minute.
        overwrite: replace a training that lies in `out`.
        started: told what is done, in sentences.
        progress: told (step, steps, numbers).

    Raises:
        SettingError: a recipe that keeps no checkpoint is to be resumed.
        OutputError: `out` holds another training.
        KeyboardInterrupt: Ctrl-C; nothing is scored or exported.
    """
    if resume and name != "omniglot":
        raise SettingError(
            expected="--resume with --recipe omniglot, which keeps a checkpoint", got=name, advice="start it again"
        )
    keep_finished(out, resume=resume, overwrite=overwrite)
    out.mkdir(parents=True, exist_ok=True)
    if name == "omniglot":
        return _omniglot(data, out, background, steps, seed, device, resume, started, progress)
    return (
        _orl(data, out, steps, seed, device, started, progress)
        if name == "orl"
        else _lfw(data, out, steps, seed, device, started, progress)
    )


def _omniglot(
    data: Path,
    out: Path,
    background: str,
    steps: int | None,
    seed: int,
    device: str | None,
    resume: bool,
    started: Note,
    progress: Progress,
) -> RecipeResult:
    recipe = omniglot.OmniglotRecipe() if steps is None else omniglot.OmniglotRecipe(steps=steps)
    pictures = omniglot.read_background(data / f"images_background_{background}.zip")
    runs = omniglot.read_runs(data / "all_runs.zip")
    started(
        f"{len(pictures)} drawings of {len(pictures.people)} characters; {recipe.steps} steps; scored once, at the end"
    )
    checkpoint = out / "checkpoint.pt"
    begun = load_checkpoint(checkpoint, recipe.spec()) if resume else None
    log = CsvLog(out / "log.csv", COLUMNS, from_step=begun.step if begun else 0)
    result = omniglot.train_omniglot(
        pictures,
        runs,
        recipe=recipe,
        seed=seed,
        device=device,
        progress=lambda step, numbers: progress(step, recipe.steps, numbers),
        logs=[log],
        checkpoint=checkpoint,
        resume=begun,
    )
    log.close()
    measured = (Measurement("Omniglot, 20 official one-shot runs of 20 ways", f"error {100 * result.error:.2f} %"),)
    path = out / f"omniglot-{background}.onnx"
    export_encoder(
        result.network,
        result.spec,
        path,
        title="Handwritten characters, one shot",
        training_data=f"Omniglot {background}",
        licence="Apache-2.0",
        commercial_use="yes",
        licence_note="",
        measured=measured,
    )
    return RecipeResult(
        {
            "background": background,
            "error": result.error,
            "error_one_view": result.error_one_view,
            "wrong_by_run": result.wrong_by_run.tolist(),
            "cpu_seconds": result.training.cpu_seconds,
            "wall_seconds": result.training.wall_seconds,
            "device": result.training.compute,
            "encoder": str(path),
        },
        (
            f"20-way one-shot error on 400 official trials: {100 * result.error:.2f} % "
            f"({100 * result.error_one_view:.2f} % from each drawing alone)",
            f"{path}, {result.training.cpu_seconds:.0f} CPU seconds on {result.training.compute}",
        ),
    )


def _orl(
    data: Path, out: Path, steps: int | None, seed: int, device: str | None, started: Note, progress: Progress
) -> RecipeResult:
    recipe = orl.OrlRecipe() if steps is None else orl.OrlRecipe(steps=steps)
    pictures = orl.read_orl(data)
    started("5 splits: 30 people to train on, 10 strangers to tell apart by one photo each")
    errors, pixel_errors, seconds = [], [], 0.0
    for split in range(5):
        kept, strangers = orl.split_of(split)
        others = pictures.of_people(strangers)

        def tell(step: int, numbers: Mapping[str, float], split: int = split) -> None:
            progress(split * recipe.steps + step, 5 * recipe.steps, numbers)

        network, spec, embed, training = orl.train_orl(
            pictures.of_people(kept), recipe=recipe, seed=seed + split, device=device, progress=tell
        )
        wrong, trials = orl.one_shot_trials(orl.embeddings_of(embed, others), others.labels)
        errors.append(wrong / trials)
        plain = others.pixels.flatten(1).numpy().astype(np.float64) / 255
        wrong, trials = orl.one_shot_trials(plain, others.labels)
        pixel_errors.append(wrong / trials)
        seconds += training.cpu_seconds
        if split == 0:
            export_encoder(network, spec, out / "orl.onnx", title="ORL faces", training_data="ORL, 30 of 40 people")
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
            f"{out / 'orl.onnx'}, {seconds:.0f} CPU seconds",
        ),
    )


def _lfw(
    data: Path, out: Path, steps: int | None, seed: int, device: str | None, started: Note, progress: Progress
) -> RecipeResult:
    from sameface.recognizer import Recognizer

    recipe = lfw.LfwHeadRecipe() if steps is None else replace(lfw.LfwHeadRecipe(), steps=steps)
    recognizer = Recognizer()
    images = data / "images"
    pairs = read_lfw_pairs(images, data / "pairsDevTest.txt")
    people = read_folder(images, only=read_lfw_people(data / "peopleDevTrain.txt"))
    photos = lfw.photos_to_learn_from(people, recipe.most_photos)
    total = 2 * len(photos) + len(pairs.photos)
    started(f"encoding {total} photos on {recognizer.space}, damaged and undamaged")
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total, {})

    test = lfw.embed_photos(recognizer, pairs.photos, change=lfw.bad_camera, progress=tell)
    damaged = lfw.embed_photos(recognizer, photos, change=lfw.bad_camera, progress=tell)
    clean = lfw.embed_photos(recognizer, photos, progress=tell)
    network, _, training = lfw.train_head([damaged, clean], damaged, recipe=recipe, seed=seed, device=device)
    before = lfw.measure_pairs(pairs, test)
    after = lfw.measure_pairs(pairs, test, lfw.apply_head(network))
    path = out / "lfw-head.onnx"
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
            f"pairsDevTest with faces of {lfw.FACE_WIDTH} pixels and JPEG {lfw.JPEG_QUALITY}: " + ", ".join(words),
            f"{path}, {training.cpu_seconds:.0f} CPU seconds of training",
        ),
    )

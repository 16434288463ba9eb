"""`sameface train … --recipe omniglot`: train, score once, export."""

from __future__ import annotations

from dataclasses import replace

from sameface.models.card import Measurement
from sameface.training.export import export_encoder
from sameface.training.loop.checkpoint import load_checkpoint
from sameface.training.loop.logs import CsvLog
from sameface.training.loop.trainer import COLUMNS
from sameface.training.recipes.omniglot.drawings import read_background, read_runs
from sameface.training.recipes.omniglot.recipe import OmniglotRecipe, train_omniglot
from sameface.training.recipes.run import RecipeResult, RecipeRun

#: What the card's number was measured on.
OFFICIAL_RUNS = "Omniglot, 20 official one-shot runs of 20 ways"


def study_omniglot(run: RecipeRun) -> RecipeResult:
    """The whole study. The card states what the exported file does: one drawing in, one embedding out; the views are inside."""
    recipe = OmniglotRecipe() if run.steps is None else replace(OmniglotRecipe(), steps=run.steps)
    pictures = read_background(run.data / f"images_background_{run.background}.zip")
    runs = read_runs(run.data / "all_runs.zip")
    run.started(
        f"{len(pictures)} drawings of {len(pictures.people)} characters; {recipe.steps} steps; scored once, at the end"
    )
    checkpoint = run.out / "checkpoint.pt"
    begun = load_checkpoint(checkpoint, recipe.spec()) if run.resume else None
    log = CsvLog(run.out / "log.csv", COLUMNS, from_step=begun.step if begun else 0)
    try:
        result = train_omniglot(
            pictures,
            runs,
            recipe=recipe,
            seed=run.seed,
            device=run.device,
            progress=lambda step, numbers: run.progress(step, recipe.steps, numbers),
            logs=[log],
            checkpoint=checkpoint,
            resume=begun,
        )
    finally:
        log.close()
    path = run.out / f"omniglot-{run.background}.onnx"
    export_encoder(
        result.network,
        result.spec,
        path,
        title="Handwritten characters, one shot",
        training_data=f"Omniglot {run.background}",
        licence="Apache-2.0",
        commercial_use="yes",
        licence_note="",
        directions=result.directions,
        measured=(Measurement(OFFICIAL_RUNS, f"error {100 * result.error:.2f} %"),),
    )
    return RecipeResult(
        {
            "background": run.background,
            "error": result.error,
            "error_one_view": result.error_one_view,
            "wrong_by_run": result.wrong_by_run.tolist(),
            "cpu_seconds": result.training.cpu_seconds,
            "wall_seconds": result.training.wall_seconds,
            "device": result.training.compute,
            "encoder": str(path),
        },
        (
            f"20-way one-shot error on 400 official trials: {100 * result.error:.2f} % by the exported file, "
            f"{100 * result.error_one_view:.2f} % without the views inside it",
            f"{path}, {result.training.cpu_seconds:.0f} CPU seconds on {result.training.compute}",
        ),
    )

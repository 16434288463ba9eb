"""`sameface train --recipe`: a whole study on public data."""

from __future__ import annotations

from pathlib import Path


def study(
    recipe: str,
    data: Path,
    out: Path,
    *,
    background: str,
    steps: int | None,
    seed: int,
    device: str | None,
    resume: bool,
    overwrite: bool,
    json: bool,
) -> None:
    """Run one, and say what came of it."""
    from sameface.cli.output import note, print_json, print_line
    from sameface.cli.training_bar import TrainingBar
    from sameface.training.recipes.by_name import run_recipe
    from sameface.training.recipes.run import RecipeRun

    with TrainingBar() as bar:
        result = run_recipe(
            recipe,
            RecipeRun(
                data=data,
                out=out,
                background=background,
                steps=steps,
                seed=seed,
                device=device,
                resume=resume,
                overwrite=overwrite,
                started=note,
                progress=bar.training,
            ),
        )
    if json:
        print_json({"recipe": recipe, **result.numbers})
        return
    for line in result.lines:
        print_line(line)

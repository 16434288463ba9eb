"""Recipes by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sameface.errors import SamefaceError, SettingError, did_you_mean
from sameface.training.folder.beforehand import keep_finished
from sameface.training.loop.interrupt import terminated_like_interrupted
from sameface.training.recipes.run import RecipeResult, RecipeRun

#: Name → what its folder must hold.
RECIPES: Final = {
    "omniglot": "images_background_small1.zip (or small2) and all_runs.zip",
    "orl": "s1/1.pgm … s40/10.pgm",
    "lfw": "images/, peopleDevTrain.txt, pairsDevTest.txt",
    "lfw-scratch": "images/, peopleDevTrain.txt, pairsDevTest.txt",
}


def run_recipe(name: str, run: RecipeRun) -> RecipeResult:
    """Run one.

    Args:
        name: a key of `RECIPES`.
        run: on which data, into which folder.

    Raises:
        SettingError: no such recipe, or one that keeps no checkpoint is to be resumed.
        OutputError: `run.out` holds another training.
        KeyboardInterrupt: Ctrl-C or SIGTERM; nothing is scored or exported.
    """
    if name not in RECIPES:
        raise SettingError(
            expected=f"a recipe among {', '.join(RECIPES)}",
            got=repr(name),
            advice=did_you_mean(name, RECIPES, "choose one of those"),
        )
    if run.resume and name != "omniglot":
        raise SettingError(
            expected="--resume with --recipe omniglot, which keeps a checkpoint", got=name, advice="start it again"
        )
    keep_finished(run.out, resume=run.resume, overwrite=run.overwrite)
    made = not run.out.exists()
    run.out.mkdir(parents=True, exist_ok=True)
    if name == "omniglot":
        from sameface.training.recipes.omniglot.study import study_omniglot as study
    elif name == "orl":
        from sameface.training.recipes.orl import study_orl as study
    elif name == "lfw":
        from sameface.training.recipes.lfw import study_lfw as study
    else:
        from sameface.training.recipes.lfw_scratch import study_lfw_scratch as study
    with terminated_like_interrupted():
        try:
            return study(run)
        except SamefaceError:
            if made:  # nothing is left where the data could not be read
                with suppress(OSError):  # there is something in it
                    run.out.rmdir()
            raise

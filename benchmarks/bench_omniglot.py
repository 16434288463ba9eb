"""Omniglot one-shot error: trainings by background set and seed, each scored once on the official runs.

python benchmarks/bench_omniglot.py --sets small1 small2 --seeds 0 1 2 --threads 2 --out omniglot.json
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from sameface.training.export.encoder import export_encoder
from sameface.training.loop.checkpoint import load_checkpoint
from sameface.training.loop.device import use_threads
from sameface.training.loop.memory import keep_memory
from sameface.training.recipes.omniglot import OmniglotRecipe, read_background, read_runs, train_omniglot

DATA = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "omniglot"

#: What the ablation of losses and mining was run with; Koch's comparison is learned on the network's own numbers, and takes no others.
_ablated = partial(OmniglotRecipe, views="moved", kept=None, turned_together=0.6)

#: Recipes by name: the default one, and that ablation.
RECIPES = {
    "default": OmniglotRecipe(),
    "triplet-all": _ablated(loss="triplet", mining="all", loss_settings={}),
    "triplet-semi-hard": _ablated(loss="triplet", mining="semi-hard", loss_settings={}),
    "triplet-hard": _ablated(loss="triplet", mining="hard", loss_settings={}),
    "triplet-batch-hard": _ablated(loss="triplet", mining="batch-hard", loss_settings={}),
    "triplet-distance-weighted": _ablated(loss="triplet", mining="distance-weighted", loss_settings={}),
    "contrastive-all": _ablated(loss="contrastive", mining="all", loss_settings={}),
    "contrastive-hard": _ablated(loss="contrastive", mining="hard", loss_settings={}),
    "koch": _ablated(loss="koch", loss_settings={}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=["small1", "small2"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--recipes", nargs="+", default=["default"], choices=sorted(RECIPES))
    parser.add_argument("--steps", type=int, help="instead of the recipe's own")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--out", type=Path, required=True, help="JSON, one row a training; rows that are there are not made again"
    )
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    keep_memory()  # as `sameface train` does
    runs = read_runs(DATA / "all_runs.zip")
    rows = json.loads(arguments.out.read_text()) if arguments.out.is_file() else []
    done = {(row["set"], row["seed"], row["recipe"]) for row in rows}
    folder = arguments.out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.recipes:
        for seed in arguments.seeds:
            for background_set in arguments.sets:
                if (background_set, seed, name) in done:
                    continue
                recipe = RECIPES[name] if arguments.steps is None else replace(RECIPES[name], steps=arguments.steps)
                stem = f"{background_set}-{name}-{seed}"
                checkpoint = folder / f"{stem}.pt"
                result = train_omniglot(
                    read_background(DATA / f"images_background_{background_set}.zip"),
                    runs,
                    recipe=recipe,
                    seed=seed,
                    device="cpu",
                    checkpoint=checkpoint,
                    resume=load_checkpoint(checkpoint, recipe.spec()) if checkpoint.is_file() else None,
                )
                export_encoder(
                    result.network,
                    result.spec,
                    folder / f"omniglot-{stem}.onnx",
                    title="Omniglot characters",
                    training_data=stem,
                    directions=result.directions,
                )
                rows.append(
                    {
                        "set": background_set,
                        "seed": seed,
                        "recipe": name,
                        "error": result.error,
                        "error_one_view": result.error_one_view,
                        "wrong_by_run": result.wrong_by_run.tolist(),
                        "steps": result.training.steps,
                        "cpu_seconds": result.training.cpu_seconds,
                        "wall_seconds": result.training.wall_seconds,
                        "compute": result.training.compute,
                        "options": asdict(recipe),
                    }
                )
                arguments.out.write_text(json.dumps(rows, indent=1))
                row = rows[-1]
                print(
                    f"{background_set} seed {seed} {name}: {100 * row['error']:.2f} % (one view {100 * row['error_one_view']:.2f} %), "
                    f"{row['cpu_seconds']:.0f} CPU s, {row['wall_seconds']:.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()

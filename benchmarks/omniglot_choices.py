"""Settings for Omniglot, chosen without the official runs: some alphabets of a small set are left out and asked about, one view each.

python benchmarks/omniglot_choices.py --set small1 --leave-out Korean Early_Aramaic --change steps=1300 temperature=0.07 --out choices.json
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, fields, replace
from pathlib import Path

import torch

from sameface.training.recipes.omniglot import (
    OmniglotRecipe,
    fit_omniglot,
    leave_out,
    read_background,
    within_alphabets,
)

DATA = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "omniglot"


def changed(changes: list[str]) -> OmniglotRecipe:
    """The shipped recipe with some settings changed; what is no setting of the recipe is one of the loss."""
    recipe = OmniglotRecipe()
    own = {item.name for item in fields(recipe)}
    for change in changes:
        name, _, text = change.partition("=")
        value = json.loads(text) if text[:1] in "[-0123456789" else text
        value = tuple(value) if isinstance(value, list) else value
        recipe = (
            replace(recipe, **{name: value})
            if name in own
            else replace(recipe, loss_settings={**recipe.loss_settings, name: value})
        )
    return recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="small1")
    parser.add_argument("--leave-out", nargs="+", default=["Korean", "Early_Aramaic"])
    parser.add_argument(
        "--change", nargs="*", default=[], help="name=value of OmniglotRecipe, or of its loss; lists as JSON"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON, one row a training; rows are added")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    kept, out = leave_out(read_background(DATA / f"images_background_{arguments.set}.zip"), arguments.leave_out)
    recipe = changed(arguments.change)
    rows = json.loads(arguments.out.read_text(encoding="utf-8")) if arguments.out.is_file() else []
    for seed in arguments.seeds:
        trainer, training = fit_omniglot(kept, recipe=recipe, seed=seed, device="cpu")
        errors = within_alphabets(out, trainer.embed)
        rows.append(
            {
                "set": arguments.set,
                "seed": seed,
                "change": arguments.change,
                "errors": errors,
                "mean": sum(errors.values()) / len(errors),
                "cpu_seconds": training.cpu_seconds,
                "options": asdict(recipe),
            }
        )
        arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        shown = ", ".join(f"{name} {100 * error:.2f} %" for name, error in errors.items())
        print(
            f"{' '.join(arguments.change) or 'as shipped'}, seed {seed}: {100 * rows[-1]['mean']:.2f} % ({shown}), "
            f"{training.cpu_seconds:.0f} CPU s",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""A head for a bad camera: EER on LFW's pairsDevTest before and after, damaged and undamaged photos.

python benchmarks/bench_lfw_head.py --cache embeddings --out lfw_head.json
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sameface.datasets import read_folder, read_lfw_pairs, read_lfw_people
from sameface.recognizer import Recognizer
from sameface.training.recipes.lfw import (
    EmbeddedPhotos,
    LfwHeadRecipe,
    apply_head,
    bad_camera,
    embed_photos,
    measure_pairs,
    photos_to_learn_from,
    train_head,
)

DATA = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "lfw"


def embedded(cache: Path, recognizer: Recognizer, photos: Sequence[Path], *, damaged: bool) -> EmbeddedPhotos:
    """Embeddings from the cache, or computed and put there."""
    if not cache.is_file():
        found = embed_photos(recognizer, photos, change=bad_camera if damaged else None)
        names = np.array([f"{photo.parent.name}/{photo.name}" for photo in found.rows])
        np.savez(cache, names=names, vectors=found.vectors, missing=found.missing)
    with np.load(cache) as held:
        rows = {DATA / "images" / str(name): row for row, name in enumerate(held["names"])}
        return EmbeddedPhotos(rows, held["vectors"], int(held["missing"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    recipe = LfwHeadRecipe()
    recognizer = Recognizer(threads=1)
    pairs = read_lfw_pairs(DATA / "images", DATA / "pairsDevTest.txt")
    people = read_folder(DATA / "images", only=read_lfw_people(DATA / "peopleDevTrain.txt"))
    to_learn_from = photos_to_learn_from(people, recipe.most_photos)
    sets = {
        (part, damaged): embedded(arguments.cache / f"{part}-{kind}.npz", recognizer, photos, damaged=damaged)
        for part, photos in (("test", pairs.photos), ("train", to_learn_from))
        for damaged, kind in ((True, "damaged"), (False, "clean"))
    }
    print(
        {
            f"{part} {'damaged' if damaged else 'clean'}": (len(value.rows), value.missing)
            for (part, damaged), value in sets.items()
        }
    )
    rows: dict[str, object] = {"space": str(recognizer.space), "recipe": asdict(recipe)}
    for kind, damaged in (("damaged", True), ("clean", False)):
        before = measure_pairs(pairs, sets["test", damaged])
        rows[f"{kind} before"] = asdict(before)
        print(kind, "before", before)
    for seed in arguments.seeds:
        network, _, training = train_head(
            [sets["train", True], sets["train", False]] if recipe.clean_too else [sets["train", True]],
            sets["train", True],
            recipe=recipe,
            seed=seed,
        )
        for kind, damaged in (("damaged", True), ("clean", False)):
            after = measure_pairs(pairs, sets["test", damaged], apply_head(network))
            rows[f"{kind} after, seed {seed}"] = asdict(after)
            print(kind, "after", seed, after, training.cpu_seconds, training.validation, training.best_step)
    arguments.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

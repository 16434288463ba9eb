"""A head for a bad camera: EER on LFW's pairsDevTest before and after, damaged and undamaged photos.

python benchmarks/bench_lfw_head.py --cache embeddings --out lfw_head.json
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sameface.recognizer import Recognizer
from sameface.training.recipes.lfw import (
    EmbeddedPhotos,
    LfwHeadRecipe,
    PhotoKey,
    apply_head,
    bad_camera,
    embed_photos,
    measure_pairs,
    photos_to_learn_from,
    read_pairs,
    read_people,
    train_head,
)

DATA = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "lfw"


def embedded(cache: Path, recognizer: Recognizer, keys: list[PhotoKey], *, damaged: bool) -> EmbeddedPhotos:
    """Embeddings from the cache, or computed and put there."""
    if not cache.is_file():
        found = embed_photos(recognizer, DATA / "images", keys, change=bad_camera if damaged else None)
        names = np.array([f"{key.person}\t{key.number}" for key in found.rows])
        np.savez(cache, names=names, vectors=found.vectors, missing=found.missing)
    with np.load(cache) as held:
        rows = {
            PhotoKey(str(name).split("\t")[0], int(str(name).split("\t")[1])): n for n, name in enumerate(held["names"])
        }
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
    pairs = read_pairs(DATA / "pairsDevTest.txt")
    test_keys = sorted({key for pair in pairs for key in (pair.first, pair.second)})
    train_keys = photos_to_learn_from(read_people(DATA / "peopleDevTrain.txt"), DATA / "images", recipe.most_photos)
    sets = {
        (part, damaged): embedded(arguments.cache / f"{part}-{kind}.npz", recognizer, keys, damaged=damaged)
        for part, keys in (("test", test_keys), ("train", train_keys))
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

"""Settings for LFW from scratch, chosen without `pairsDevTest`: a quarter of the people of `peopleDevTrain` is left out and asked about.

As in LFW's own lists every person with two photos weighs alike (up to three mated pairs each). Non-mated pairs are a photo each of two
people drawn at random.

python benchmarks/lfw_scratch_choices.py --change components=500 learning_rate=0.001 --out choices.json
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sameface.datasets import read_folder, read_lfw_people
from sameface.training.export import Deployed
from sameface.training.folder.reading import read_as_planned
from sameface.training.folder.sources import Source
from sameface.training.recipes.lfw_scratch import LfwScratchRecipe, train_lfw_scratch

DATA = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "lfw"

Distances = npt.NDArray[np.float64]


def asked(labels: npt.NDArray[np.int64], embeddings: npt.NDArray[np.float32]) -> tuple[Distances, Distances, Distances]:
    """Distances of mated pairs, their weights, distances of non-mated pairs."""
    random = np.random.default_rng(0)
    rows = {person: np.flatnonzero(labels == person) for person in np.unique(labels)}
    first, second, weights = [], [], []
    for own in rows.values():
        if len(own) > 1:
            a, b = np.triu_indices(len(own), 1)
            chosen = random.permutation(len(a))[:3]
            first += own[a[chosen]].tolist()
            second += own[b[chosen]].tolist()
            weights += [1 / len(chosen)] * len(chosen)
    people = list(rows)
    others = [
        [random.choice(rows[people[person]]) for person in random.choice(len(people), 2, replace=False)]
        for _ in range(6000)
    ]
    apart = np.array(others)

    def distance(a: npt.ArrayLike, b: npt.ArrayLike) -> Distances:
        return np.linalg.norm(embeddings[np.asarray(a)].astype(np.float64) - embeddings[np.asarray(b)], axis=1)

    return distance(first, second), np.array(weights) / np.sum(weights), distance(apart[:, 0], apart[:, 1])


def best_accuracy(mated: Distances, weights: Distances, non_mated: Distances) -> tuple[float, float]:
    """The highest mean of both kinds' shares that are right, and the equal error rate."""
    order = np.argsort(mated)
    missed = 1 - np.cumsum(weights[order])
    passed = np.searchsorted(np.sort(non_mated), mated[order], side="right") / len(non_mated)
    equal = np.abs(missed - passed).argmin()
    return float((1 - (missed + passed) / 2).max()), float((missed[equal] + passed[equal]) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--change", nargs="*", default=[], help="name=number of LfwScratchRecipe")
    parser.add_argument("--quarter", type=int, default=0, choices=range(4), help="which people are left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON, one row a training; rows are added")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    changes = {name: json.loads(value) for name, value in (change.split("=") for change in arguments.change)}
    recipe = replace(LfwScratchRecipe(), **changes)
    people = read_folder(DATA / "images", only=read_lfw_people(DATA / "peopleDevTrain.txt"))
    pictures = read_as_planned(DATA / "images", recipe.plan(), recipe.spec(), Source(people, []))
    order = np.random.default_rng(5).permutation(len(pictures.people))
    out = order[arguments.quarter :: 4]
    held_out, kept = pictures.of_people(out), pictures.of_people(np.setdiff1d(order, out))
    result = train_lfw_scratch(kept, recipe=recipe, seed=arguments.seed, device="cpu")
    deployed = Deployed(result.network, result.spec)
    with torch.no_grad():
        embeddings = torch.cat([deployed(part) for part in held_out.in_memory.split(16)]).numpy()
    accuracy, eer = best_accuracy(*asked(held_out.labels, embeddings))
    rows = json.loads(arguments.out.read_text(encoding="utf-8")) if arguments.out.is_file() else []
    rows.append(
        {
            "change": arguments.change,
            "quarter": arguments.quarter,
            "seed": arguments.seed,
            "accuracy": accuracy,
            "eer": eer,
            "cpu_seconds": result.cpu_seconds,
            "options": asdict(recipe),
        }
    )
    arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(
        f"{' '.join(arguments.change) or 'as shipped'}: {100 * accuracy:.2f} % right, EER {100 * eer:.2f} %, "
        f"{result.cpu_seconds:.0f} CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""How long an evaluation takes: 6,000 pairs of LFW in the form of View 2, from cold and from the cache.

View 2's own list is not here; this one has its form (ten folds of 300 mated and 300 non-mated pairs, no person in two folds), drawn from
all people by seed. The whole command is timed, start of the interpreter included.

    python benchmarks/bench_evaluate.py [--data ../shared/data/lfw] [--encoder NAME] [--json out.json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FOLDS, EACH = 10, 300


def draw(lfw: Path, out: Path, seed: int = 0) -> None:
    """Write a list of pairs in the form of View 2."""
    generator = np.random.default_rng(seed)
    people = {p.name: len(list(p.glob("*.jpg"))) for p in sorted((lfw / "images").iterdir())}
    names = np.array(list(people))
    fold_of = generator.permutation(len(names)) % FOLDS
    rows = [f"{FOLDS}\t{EACH}"]
    for fold in range(FOLDS):
        here = names[fold_of == fold]
        mates = [
            (name, i, j)
            for name in here
            for i in range(1, min(people[name], 10) + 1)
            for j in range(i + 1, min(people[name], 10) + 1)
        ]
        rows += ["\t".join(map(str, mates[at])) for at in generator.choice(len(mates), EACH, replace=False)]
        taken: set[tuple[str, str]] = set()
        while len(taken) < EACH:
            a, b = sorted(generator.choice(here, 2, replace=False).tolist())
            if (a, b) not in taken:
                taken.add((a, b))
                rows.append(
                    f"{a}\t{generator.integers(1, min(people[a], 10) + 1)}\t{b}\t{generator.integers(1, min(people[b], 10) + 1)}"
                )
    out.write_text("\n".join(rows) + "\n", encoding="utf-8")


def evaluate(lfw: Path, pairs: Path, encoder: str | None, cache: Path) -> tuple[float, dict]:
    command = [sys.executable, "-m", "sameface", "evaluate", str(lfw), "--pairs", str(pairs), "--json"]
    if encoder:
        command += ["--encoder", encoder]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, env={**os.environ, "SAMEFACE_CACHE": str(cache)})
    return time.perf_counter() - start, json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    root = Path(__file__).resolve().parent.parent
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("SAMEFACE_DATA", root.parent / "shared" / "data")) / "lfw"
    )
    parser.add_argument("--encoder")
    parser.add_argument("--cache", type=Path, help="a warm cache: skip the cold run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        pairs = Path(folder) / "pairs.txt"
        draw(given.data, pairs)
        cache = given.cache or Path(folder) / "cache"
        for name in () if given.cache else ("cold",):
            seconds, found = evaluate(given.data, pairs, given.encoder, cache)
            speed = found["runs"][0]["speed"]
            rows[name] = {
                "seconds": seconds,
                "photos": speed["encoded"],
                "photos_per_second": speed["photos_per_second"],
            }
        again = [evaluate(given.data, pairs, given.encoder, cache) for _ in range(given.repeats)]
        found = again[0][1]
        rows["from the cache"] = {"seconds": float(np.median([x for x, _ in again])), "photos": found["data"]["photos"]}
        result = found["runs"][0]["verification"]["accuracy"]
    for name, row in rows.items():
        rate = f", {row['photos_per_second']:.1f} photos/s" if row.get("photos_per_second") else ""
        print(f"{name:15} {row['seconds']:7.1f} s for 6,000 pairs, {row['photos']} photos{rate}")
    print(f"accuracy of these pairs (not View 2): {100 * result['mean']:.2f} ± {100 * result['standard_error']:.2f} %")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

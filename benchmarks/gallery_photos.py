"""Several photos of a person: is the nearest of them the better distance, or that to their mean?

    python benchmarks/gallery_photos.py [--people peopleDevTrain.txt] [--most 300] [--out photos.json]

People of LFW with at least six photos: the first n of five are enrolled, the sixth to the tenth are asked about. For each rule: FNMR at the threshold
where 0.1 % of the comparisons with other people pass, and the share of probes whose nearest person is the right one.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np

from sameface.errors import SamefaceError
from sameface.metrics.thresholds import threshold_at_fmr
from sameface.recognizer import Recognizer

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
ENROLLED, TAKEN = 5, 10


def embeddings(people: Path, most: int) -> list[np.ndarray]:
    """``(photos, d)`` of each person with more photos than are enrolled."""
    lines = (line.split("\t") for line in people.read_text(encoding="utf-8").splitlines()[1:])
    chosen = [(name, min(int(count), TAKEN)) for name, count in lines if int(count) > ENROLLED][:most]
    paths = [
        DATA / "lfw" / "images" / name / f"{name}_{i:04d}.jpg" for name, count in chosen for i in range(1, count + 1)
    ]
    faces = iter(Recognizer().encode_photos(paths))
    found = []
    for _, count in chosen:
        own = [face.embedding for face in (next(faces) for _ in range(count)) if not isinstance(face, SamefaceError)]
        if len(own) > ENROLLED:
            found.append(np.stack(own))
    return found


def distances(rule: str, probes: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
    """From each probe ``(p, d)`` to each person ``(k, n, d)``, ``(p, k)``."""
    if rule == "mean of the templates":
        mean = enrolled.mean(axis=1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        return np.asarray(np.linalg.norm(probes[:, None] - mean[None], axis=2))
    apart = np.stack([np.linalg.norm(probes[:, None] - enrolled[None, :, i], axis=2) for i in range(enrolled.shape[1])])
    return np.asarray(apart.min(axis=0) if rule == "nearest photo" else apart.mean(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, default=DATA / "lfw" / "peopleDevTrain.txt")
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    people = embeddings(given.people, given.most)
    probes = np.concatenate([own[ENROLLED:] for own in people])
    owner = np.repeat(np.arange(len(people)), [len(own) - ENROLLED for own in people])
    mated = owner[:, None] == np.arange(len(people))
    print(f"{len(people)} people, {len(probes)} probes")
    print("| photos enrolled | rule | threshold | FNMR at FMR 1e-3 | nearest person is right |\n|---|---|---|---|---|")
    rows = []
    for count in (1, 2, 3, 5):
        enrolled = np.stack([own[:count] for own in people])
        for rule in ("nearest photo", "mean of the templates", "mean of the distances"):
            apart = distances(rule, probes, enrolled)
            threshold = float(threshold_at_fmr(apart[~mated], 1e-3))
            missed, right = float((apart[mated] >= threshold).mean()), float((apart.argmin(axis=1) == owner).mean())
            rows.append({"photos": count, "rule": rule, "threshold": threshold, "fnmr": missed, "rank_1": right})
            print(f"| {count} | {rule} | {threshold:.3f} | {100 * missed:.2f} % | {100 * right:.2f} % |", flush=True)
    if given.out:
        given.out.write_text(json.dumps({"people": len(people), "probes": len(probes), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

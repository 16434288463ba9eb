"""Clustering of LFW's people beside Chinese whispers, DBSCAN and HDBSCAN, on the same embeddings.

    python benchmarks/clustering.py ../shared/data/lfw out/clustering [repeats]

Every method's one setting is tuned on people of peopleDevTrain for BCubed F, then scored once on those of peopleDevTest, who are others.
Needs the extra `evaluate` and dlib-bin. Prints a table; writes clustering.json and keeps the embeddings in the output folder.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN

from sameface.errors import SamefaceError
from sameface.indexing.cluster_scores import bcubed, pairwise
from sameface.indexing.clustering import cluster
from sameface.recognizer import Recognizer

Table = tuple[np.ndarray, np.ndarray]
REPEATS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
PHOTOS_TO_TUNE_ON = 20  # of each person, at most
TEST_PHOTOS = 3707  # of peopleDevTest


def faces_of(lfw: Path, part: str, out: Path) -> Table:
    """Embeddings and names of the people of one part: the face nearest the centre of each photo.

    Of peopleDevTrain only as many people, drawn at random, as fill as many photos as peopleDevTest has: the best setting of every method here
    depends on how many faces there are.
    """
    kept = out / f"people{part}.npz"
    if not kept.exists():
        counts = dict(line.split("\t") for line in (lfw / f"peopleDev{part}.txt").read_text().splitlines()[1:])
        people = sorted(counts)
        if part == "Train":
            people = [people[index] for index in np.random.default_rng(0).permutation(len(people))]
        photos, names = [], []
        for name in people:
            files = [lfw / "images" / name / f"{name}_{number:04d}.jpg" for number in range(1, int(counts[name]) + 1)]
            present = [file for file in files if file.exists()]
            photos += present
            names += [name] * len(present)
            if part == "Train" and len(photos) >= TEST_PHOTOS:
                break
        found = list(Recognizer().encode_photos(photos, "centre"))
        usable = [index for index, face in enumerate(found) if not isinstance(face, SamefaceError)]
        np.savez(
            kept,
            embeddings=np.stack([found[i].embedding for i in usable]),
            names=[names[i] for i in usable],
            photos=len(photos),
        )
    with np.load(kept) as file:
        points, people = file["embeddings"], file["names"]
    if part == "Train":  # one person of 530 photos would decide the setting of every method
        few = [np.flatnonzero(people == name)[:PHOTOS_TO_TUNE_ON] for name in np.unique(people)]
        points, people = points[np.concatenate(few)], people[np.concatenate(few)]
    return points, people


def chinese_whispers(points: np.ndarray, threshold: float) -> np.ndarray:
    return np.array(dlib.chinese_whispers_clustering([dlib.vector(row.tolist()) for row in points], threshold))


def dbscan(points: np.ndarray, eps: float) -> np.ndarray:
    return alone(DBSCAN(eps=eps, min_samples=2, algorithm="brute").fit_predict(points))


def hdbscan(points: np.ndarray, samples: float) -> np.ndarray:
    # Its cluster_selection_epsilon fails in scikit-learn 1.9 with NumPy 2.4 (TypeError in _tree.pyx).
    return alone(HDBSCAN(min_cluster_size=2, min_samples=int(samples), copy=True).fit_predict(points))


def alone(labels: np.ndarray) -> np.ndarray:
    """Noise points as groups of their own."""
    labels = labels.copy()
    noise = np.flatnonzero(labels < 0)
    labels[noise] = labels.max() + 1 + np.arange(len(noise))
    return labels


METHODS: dict[str, tuple[Callable[[np.ndarray, float], np.ndarray], np.ndarray]] = {
    "sameface": (cluster, np.arange(0.30, 0.40, 0.005)),
    "Chinese whispers (dlib)": (chinese_whispers, np.arange(0.28, 0.37, 0.01)),
    "DBSCAN (scikit-learn)": (dbscan, np.arange(0.26, 0.38, 0.005)),
    "HDBSCAN (scikit-learn)": (hdbscan, np.array([1, 2, 3])),
}


def seconds(run: Callable[[], object]) -> float:
    """Processor time, which a busy machine distorts less than the clock; the median of a few runs."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    lfw, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    train, test = faces_of(lfw, "Train", out), faces_of(lfw, "Test", out)
    print(
        f"tuned on {len(train[1])} faces of {len(set(train[1]))} people, scored on {len(test[1])} of {len(set(test[1]))}"
    )
    results = []
    for name, (method, grid) in METHODS.items():
        tuned = {float(value): bcubed(train[1], method(train[0], value)).f for value in grid}
        best = max(tuned, key=lambda value: tuned[value])
        labels = method(test[0], best)
        b, p = bcubed(test[1], labels), pairwise(test[1], labels)
        results.append(
            {
                "method": name,
                "setting": round(best, 3),
                "train_bcubed_f": tuned[best],
                "bcubed": {"precision": b.precision, "recall": b.recall, "f": b.f},
                "pairwise": {"precision": p.precision, "recall": p.recall, "f": p.f},
                "groups": len(set(labels.tolist())),
                "cpu_seconds": seconds(lambda method=method, best=best: method(test[0], best)),
            }
        )
        print(
            f"{name:26} {best:.2f}  BCubed F {b.f:.4f} (P {b.precision:.4f} R {b.recall:.4f})  pairwise F {p.f:.4f}",
            end="",
        )
        print(f"  {results[-1]['groups']} groups  {results[-1]['cpu_seconds']:.2f} s of CPU", flush=True)
    (out / "clustering.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

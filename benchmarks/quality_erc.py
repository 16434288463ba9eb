"""Is the quality of a face worth something? Errors against the share of photos rejected.

    python benchmarks/quality_erc.py [--photos 900] [--skip 0] [--json out.json] [--cache faces.npz]

Photos of people with mated pairs in LFW's `pairsDevTrain`, person by person. τ is set once, at FMR 1e-3 over all non-mated pairs
of these photos; then the photos of the lowest quality are rejected and FNMR is counted again over the mated pairs that are left.
A judgement that is worth nothing leaves FNMR where it is; one that is perfect takes away exactly the photos with errors.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from sameface.encoders import load_encoder
from sameface.faces import load_aligner, load_detector
from sameface.faces.choose import choose_face
from sameface.faces.quality import judge_face

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
REJECTED = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
PARTS = ("value", "side", "sharpness", "brightness", "contrast", "turned")


def photos(skip: int, count: int) -> list[tuple[str, Path]]:
    """Person and path of photos of the protocol's mated pairs, in order, after the first few."""
    wanted: set[tuple[str, int]] = set()
    for line in (DATA / "lfw" / "pairsDevTrain.txt").read_text().splitlines()[1:]:
        parts = line.split("\t")
        if len(parts) == 3:
            wanted |= {(parts[0], int(parts[1])), (parts[0], int(parts[2]))}
    return [
        (name, DATA / "lfw" / "images" / name / f"{name}_{number:04d}.jpg")
        for name, number in sorted(wanted)[skip : skip + count]
    ]


def encoded(cache: Path | None, skip: int, count: int) -> dict[str, np.ndarray]:
    """Embeddings, people and the parts of quality."""
    if cache is not None and cache.is_file():
        with np.load(cache) as file:
            return dict(file)
    detector, encoder = load_detector(threads=1), load_encoder(threads=1)
    card = encoder.card
    aligner = load_aligner(card.landmarks, card.template, card.input_size_wh[0])
    people, parts, embeddings = [], [], []
    for name, path in photos(skip, count):
        image = np.asarray(Image.open(path).convert("RGB"))
        found = detector.detect(image)
        if not found:
            continue
        face = choose_face(found, image, "centre")
        quality = asdict(judge_face(image, face))
        people.append(name)
        parts.append([float(quality[part] or 0.0) for part in PARTS])
        embeddings.append(encoder.encode(aligner.align(image, [face]))[0])
    result = {"people": np.array(people), "parts": np.array(parts), "embeddings": np.stack(embeddings)}
    if cache is not None:
        np.savez(cache, **result)
    return result


def curves(faces: dict[str, np.ndarray]) -> Iterator[tuple[str, list[float]]]:
    """FNMR at each share rejected, by the whole quality and by each part alone."""
    embeddings, people, parts = faces["embeddings"], faces["people"], faces["parts"]
    apart = np.sqrt(np.maximum(0, 2 - 2 * embeddings @ embeddings.T))
    first, second = np.triu_indices(len(people), 1)
    mated = people[first] == people[second]
    distances = apart[first, second]
    threshold = np.quantile(distances[~mated], 1e-3)
    a, b, missed = first[mated], second[mated], distances[mated] >= threshold
    random = np.random.default_rng(0).random(len(people))
    judgements = {name: parts[:, column] for column, name in enumerate(PARTS)}
    judgements["turned"] = -judgements["turned"]
    judgements["brightness"] = -np.abs(judgements["brightness"] - np.median(judgements["brightness"]))
    for name, judged in {**judgements, "random": random}.items():
        order = np.argsort(np.argsort(judged + 1e-9 * random))
        row = []
        for share in REJECTED:
            kept = (order[a] >= share * len(people)) & (order[b] >= share * len(people))
            row.append(float(missed[kept].mean()))
        yield name, row


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=900)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    faces = encoded(options.cache, options.skip, options.photos)
    rows = dict(curves(faces))
    print(f"{len(faces['people'])} photos; FNMR in % at the τ of FMR 1e-3, by share of photos rejected")
    print("| judged by | " + " | ".join(f"{share:.0%}" for share in REJECTED) + " |")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{100 * rate:.2f}" for rate in row) + " |")
    if options.json:
        options.json.write_text(json.dumps({"rejected": REJECTED, "fnmr": rows}, indent=1))


if __name__ == "__main__":
    main()

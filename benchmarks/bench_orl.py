"""ORL: 10-way one-shot error on 10 people after training on the 30 others, 5 splits; beside raw pixels and the pretrained encoder.

python benchmarks/bench_orl.py --threads 2 --out orl.json
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from sameface.encoders import load_encoder
from sameface.encoders.crops import scale_crops
from sameface.errors import SamefaceError
from sameface.imaging import load_image
from sameface.recognizer import Recognizer
from sameface.training.pictures import files_by_person
from sameface.training.recipes.orl import (
    OrlRecipe,
    embeddings_of,
    one_shot_trials,
    read_orl,
    split_of,
    train_orl,
)

DATA = Path(os.environ.get("SAMEFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "orl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pictures = read_orl(DATA)
    paths = [path for _, files in sorted(files_by_person(DATA)[0].items()) for path in files]
    photos = [load_image(path) for path in paths]
    pixels = load_encoder("pixels").encode(np.stack([scale_crops(photo[None], (160, 160))[0] for photo in photos]))
    recognizer = Recognizer(threads=arguments.threads)
    answers = list(recognizer.encode_photos(photos, choose="centre"))
    lost = np.full(recognizer.card.dimension, np.nan, dtype=np.float32)
    pretrained = np.stack([lost if isinstance(answer, SamefaceError) else answer.embedding for answer in answers])
    missing = int(np.isnan(pretrained[:, 0]).sum())
    rows: dict[str, list[float]] = {"siamese": [], "siamese untrained": [], "pixels": [], "pretrained": []}
    seconds = 0.0
    for split in range(5):
        kept, strangers = split_of(split)
        others = pictures.of_people(strangers)
        chosen = np.isin(pictures.labels, strangers)
        for name, recipe in (("siamese untrained", OrlRecipe(steps=1, learning_rate=1e-9)), ("siamese", OrlRecipe())):
            _, _, embed, training = train_orl(pictures.of_people(kept), recipe=recipe, seed=split, device="cpu")
            wrong, trials = one_shot_trials(embeddings_of(embed, others), others.labels)
            rows[name].append(wrong / trials)
            seconds += training.cpu_seconds
        for name, vectors in (("pixels", pixels), ("pretrained", pretrained)):
            wrong, trials = one_shot_trials(vectors[chosen], pictures.labels[chosen])
            rows[name].append(wrong / trials)
        print(
            split,
            {name: f"{100 * values[-1]:.2f} %" for name, values in rows.items()},
            f"{seconds:.0f} CPU s",
            flush=True,
        )
    means = {name: float(np.mean(values)) for name, values in rows.items()}
    print(
        {name: f"{100 * value:.2f} %" for name, value in means.items()},
        f"{missing} of 400 photos without a face found by {recognizer.space}",
    )
    content = {
        "errors": rows,
        "means": means,
        "missing": missing,
        "cpu_seconds": seconds,
        "recipe": asdict(OrlRecipe()),
        "space": str(recognizer.space),
    }
    arguments.out.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()

"""Many crops: how much memory a training holds, when the sampler is ready, how fast batches come.

    python benchmarks/bench_train_scale.py --crops 500000 --people 85000 --folder /tmp/scale

Writes a ``.rec`` of made crops of 112 pixels (about 4 KiB each, drawn from 1,000 different ones), reads it as `sameface train` does, and takes
steps of a tiny network: what is measured is the feeding.
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import time
from pathlib import Path

import numpy as np
from PIL import Image


def write_rec(path: Path, crops: int, people: int) -> None:
    """InsightFace's form: a header, the person's number, a JPEG."""
    random = np.random.default_rng(0)
    stored = []
    for _ in range(1000):
        small = Image.fromarray(random.integers(40, 216, (14, 14, 3), dtype=np.uint8))
        out = io.BytesIO()
        small.resize((112, 112), Image.Resampling.BICUBIC).save(out, format="JPEG", quality=90)
        stored.append(out.getvalue())
    with path.open("wb") as file:
        for row in range(crops):
            body = struct.pack("<IfQQ", 0, float(row % people), row, 0) + stored[row % len(stored)]
            file.write(struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4))


def resident() -> float:
    """Megabytes that this process holds at most so far."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=500_000)
    parser.add_argument("--people", type=int, default=85_000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=Path("scale"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    path = given.folder / f"made-{given.crops}.rec"
    if not path.is_file():
        write_rec(path, given.crops, given.people)

    from sameface.training import PeopleTimesPhotos, Trainer, TrainingSettings, build_network, choose_compute, make_loss
    from sameface.training.folder import FolderPlan, spec_of
    from sameface.training.folder.reading import read_as_planned
    from sameface.training.folder.sources import open_source

    found: dict[str, float] = {"empty_mb": resident()}
    began = time.monotonic()
    plan = FolderPlan(size=112, options={"widths": (8, 8, 8)}, device="cpu", precision="float32")
    spec = spec_of(plan)
    pictures = read_as_planned(path, plan, spec, open_source(path))
    found |= {"read_seconds": time.monotonic() - began, "read_mb": resident()}
    began = time.monotonic()
    PeopleTimesPhotos(pictures.labels, people=32, photos=4).batch(0)
    found["sampler_seconds"] = time.monotonic() - began
    settings = TrainingSettings(steps=given.steps, people=32, photos=4, validate_every=0, save_every=0)
    loss = make_loss("triplet", dimension=128, people=given.people)
    result = Trainer(build_network(spec), loss, pictures, settings, compute=choose_compute("cpu", "float32")).run()
    found |= {
        "crops": len(pictures),
        "people": len(pictures.people),
        "photos_per_second": result.photos / result.wall_seconds,
        "peak_mb": resident(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

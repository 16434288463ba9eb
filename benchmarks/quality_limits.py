"""Where a blurred photo should stop becoming a template: errors by its sharpness, and the undisturbed photos that a limit refuses.

    python benchmarks/quality_limits.py [--people peopleDevTrain.txt] [--most 300] [--detector yunet]

The first photo of each person is the template, as it is and blurred; the second is the probe, as it is. Under τ of the operating point.
"""

from __future__ import annotations

import argparse
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from sameface import Recognizer
from sameface.datasets import read_folder, read_lfw_people
from sameface.defaults import DEFAULT_DETECTOR
from sameface.errors import FaceError
from sameface.faces.quality import judge_face

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
SIGMAS = (0.0, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
LIMITS = (0.05, 0.06, 0.07, 0.08, 0.09, 0.10, 0.11, 0.12)
TURNS = (0.0, 0.2, 0.4, 0.65, 0.8, 0.9, 0.99, 9.0)
STEPS = (0.0, 0.05, 0.06, 0.07, 0.08, 0.09, 0.10, 0.12, 0.15, 9.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", default="peopleDevTrain.txt")
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    parser.add_argument("--calm", action="store_true", help="nothing is blurred: errors by how far a face is turned")
    given = parser.parse_args()
    recognizer = Recognizer(detector=given.detector, threads=1)
    data = read_folder(DATA / "lfw" / "images", only=read_lfw_people(DATA / "lfw" / given.people))
    counts = np.bincount(data.people)
    chosen = np.flatnonzero(counts >= 2)[: given.most]
    probes, templates = [], []  # (person, embedding), (person, σ, sharpness, reasons, embedding)
    for person in chosen.tolist():
        first, second = np.flatnonzero(data.people == person)[:2]
        try:
            probe = recognizer.encode_photo(data.photos[second], "centre")
            image = Image.open(data.photos[first]).convert("RGB")
            calm = recognizer.finder.choose(np.asarray(image), "centre")
        except FaceError:
            continue
        probes.append((person, probe.embedding))
        side = max(calm.box.width, calm.box.height)
        for sigma in SIGMAS[: 1 if given.calm else None]:
            spoilt = np.asarray(image.filter(ImageFilter.GaussianBlur(sigma * side / 100)) if sigma else image)
            try:
                face = recognizer.encode_photo(spoilt, "centre")
            except FaceError:
                continue
            quality = judge_face(spoilt, face.detection)
            templates.append((person, sigma, quality.sharpness, quality.reasons, face.embedding, quality.turned or 0.0))
    people = np.array([row[0] for row in templates])
    sharp = np.array([row[2] for row in templates])
    calm_rows = np.array([row[1] == 0 for row in templates])
    other = np.array([bool([reason for reason in row[3] if reason != "blurred"]) for row in templates])
    apart = np.linalg.norm(
        np.stack([row[4] for row in templates])[:, None] - np.stack([row[1] for row in probes])[None], axis=2
    )
    mated = people[:, None] == np.array([row[0] for row in probes])[None]
    under = apart < recognizer.operating_point.threshold
    print(f"{len(probes)} people, {len(templates)} templates, τ {recognizer.operating_point.threshold}")
    print("templates whose sharpness lies in …: number, FNMR %, FMR %")
    for low, high in pairwise(STEPS):
        rows = (sharp >= low) & (sharp < high)
        if rows.any():
            fnmr, fmr = 1 - under[rows][mated[rows]].mean(), under[rows][~mated[rows]].mean()
            print(f"{low:5.2f} to {high:5.2f}: {rows.sum():5d}  {100 * fnmr:6.2f}  {100 * fmr:7.3f}")
    print(f"undisturbed refused for other reasons: {100 * other[calm_rows].mean():.2f} %")
    turned = np.array([row[5] for row in templates])
    for low, high in pairwise(TURNS):
        rows = (turned >= low) & (turned < high) & calm_rows
        if rows.any():
            fnmr, fmr = 1 - under[rows][mated[rows]].mean(), under[rows][~mated[rows]].mean()
            print(f"turned {low:.2f} to {high:.2f}: {rows.sum():5d}  {100 * fnmr:6.2f}  {100 * fmr:7.3f}")
    for limit in LIMITS[: 0 if given.calm else None]:
        shares = [
            f"σ {sigma:g} {np.mean([row[2] < limit for row in templates if row[1] == sigma]):.1%}" for sigma in SIGMAS
        ]
        kept = sharp >= limit
        fnmr, fmr = 1 - under[kept][mated[kept]].mean(), under[kept][~mated[kept]].mean()
        print(f"limit {limit:.2f} refuses {', '.join(shares)}; kept: FNMR {100 * fnmr:.2f}, FMR {100 * fmr:.3f} %")


if __name__ == "__main__":
    main()

"""Photos that lie on their side or stand on their head: is the same face found, and is it the same embedding?

    python benchmarks/turned.py report [--detector yunet] [--encoder …] [--photos 300] [--json out.json]
    python benchmarks/turned.py speed  [--detector yunet] [--photos 300]

One photo of each person of LFW, in an order that a fixed seed shuffles, turned by one, two and three quarters without any loss. Each
turned photo is compared with itself upright: the face nearest the middle, its box (within 2 pixels), its embedding (within 0.05). Upright
photos must be decided as if nothing had been asked of other orientations: the same boxes to the last bit. `tune` looks at the people of
`peopleDevTrain`, on which the rule was chosen, `report` at those of `peopleDevTest`.

`speed` gives the CPU time of finding faces in upright photos, with and without the rule, one thread. Nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sameface import Recognizer
from sameface.errors import FaceError
from sameface.faces.turning import out_of_turned, turned
from sameface.faces.upright import find_upright
from sameface.recognizer.found import EncodedFace
from sameface.types import Detection, ImageRGB

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
LISTS = {"tune": "peopleDevTrain.txt", "report": "peopleDevTest.txt", "speed": "peopleDevTest.txt"}


def photos(people: str, count: int) -> list[Path]:
    """The first photo of each of so many people."""
    lines = (DATA / "lfw" / people).read_text(encoding="utf-8").splitlines()[1:]
    folders = [DATA / "lfw" / "images" / line.split("\t")[0] for line in lines if line.strip()]
    random.Random(13).shuffle(folders)
    return [min(folder.glob("*.jpg")) for folder in folders if folder.is_dir()][:count]


def encoded(recognizer: Recognizer, image_rgb: ImageRGB) -> EncodedFace | None:
    """The face nearest the middle, None where there is none."""
    try:
        return recognizer.encode_photo(image_rgb, "centre")
    except FaceError:
        return None


def measure(recognizer: Recognizer, flat: Recognizer, paths: list[Path]) -> dict[str, dict[str, float]]:
    """Shares by turn, with the rule and without."""
    counts: dict[str, dict[str, int]] = {}
    moved: dict[str, list[float]] = {}
    changed = 0
    for path in paths:
        image = np.asarray(Image.open(path).convert("RGB"))
        wanted = encoded(recognizer, image)
        if wanted is None:
            continue
        plain, ruled = recognizer.detector.detect(image), find_upright(recognizer.detector, image)
        changed += [face.box for face in plain] != [face.box for face in ruled]
        for turns in (1, 2, 3):
            photo = turned(image, 4 - turns)  # turned by `turns` it is upright again
            for name, by in (("with the rule", recognizer), ("without", flat)):
                row = counts.setdefault(
                    f"{turns} quarters, {name}",
                    {"photos": 0, "found": 0, "same box": 0, "within 0.05": 0, "all three": 0},
                )
                row["photos"] += 1
                face = encoded(by, photo)
                if face is None:
                    continue
                row["found"] += 1
                # The upright face as it lies in the turned photo.
                there = out_of_turned(
                    Detection(wanted.box, 1.0), turns, (image.shape[1], image.shape[0])[:: 1 - turns % 2 * 2]
                )
                same_box = np.abs(np.subtract(face.box.xyxy, there.box.xyxy)).max() <= 2
                apart = float(np.linalg.norm(face.embedding - wanted.embedding))
                moved.setdefault(f"{turns} quarters, {name}", []).append(apart)
                row["same box"] += bool(same_box)
                row["within 0.05"] += apart <= 0.05
                row["all three"] += bool(same_box) and apart <= 0.05
    table: dict[str, dict[str, float]] = {
        name: {**row, "median L2": round(statistics.median(moved.get(name, [float("nan")])), 4)}
        for name, row in sorted(counts.items())
    }
    table["upright"] = {"photos": len(paths), "decided otherwise than without": changed}
    return table


def speed(recognizer: Recognizer, paths: list[Path]) -> dict[str, float]:
    """CPU milliseconds a photo, all photos, in turns so that both see the same machine."""
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    spent = {"without": 0.0, "with the rule": 0.0}
    for _ in range(3):
        for name, find in (
            ("without", recognizer.detector.detect),
            ("with the rule", lambda image: find_upright(recognizer.detector, image)),
        ):
            start = time.process_time()
            for picture in pictures:
                find(picture)
            spent[name] += time.process_time() - start
    each = {name: 1000 * seconds / (3 * len(pictures)) for name, seconds in spent.items()}
    return {**each, "share more, %": 100 * (each["with the rule"] / each["without"] - 1)}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=LISTS)
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--encoder", default="sface-2021dec-unit")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    paths = photos(LISTS[options.what], options.photos)
    both = [
        Recognizer(detector=options.detector, encoder=options.encoder, threads=1, upright=upright)
        for upright in (True, False)
    ]
    result = speed(both[0], paths) if options.what == "speed" else measure(*both, paths)
    for name, row in result.items():
        print(f"{name:28} {row}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What the two slow tasks of a newcomer cost: wall clock and processor seconds of the commands that the documentation gives.

python benchmarks/newcomers.py threshold LFW [--people 80]     # LFW: the folder with images/ and peopleDevTest.txt
python benchmarks/newcomers.py drawings

`threshold` calibrates on the first people of peopleDevTest who have two photos, ten photos each at most, with nothing in the cache, at FMR 0.01;
which photos are too poor is learned too. `drawings` trains on 40 figures of 6 drawings each, as docs/notebooks/drawings.md makes them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sameface.datasets import read_folder, read_lfw_people


def timed(*command: str, folder: Path) -> None:
    print("$ sameface", *command)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-m", "sameface", *command], cwd=folder, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{time.monotonic() - start:.0f} s, {cpu:.0f} processor seconds, {os.cpu_count()} cores")


def threshold(lfw: Path, people: int, folder: Path) -> None:
    data = read_folder(lfw / "images", only=read_lfw_people(lfw / "peopleDevTest.txt"))
    several = np.flatnonzero(np.bincount(data.people) >= 2)[:people]
    for person in several:
        place = folder / "photos" / f"person {person}"
        place.mkdir(parents=True)
        for number in np.flatnonzero(data.people == person)[:10]:
            (place / f"{number}.jpg").symlink_to(Path(str(data.photos[number])).resolve())
    timed("calibrate", "photos", "--fmr", "0.01", "--no-cache", "--out", "mine.json", folder=folder)


def drawings(folder: Path) -> None:
    random = np.random.default_rng(3)
    for figure in range(40):
        strokes = random.uniform(18, 110, (3, 4, 2))
        place = folder / "drawings" / f"{figure:02}"
        place.mkdir(parents=True)
        for number in range(6):
            picture = Image.new("L", (128, 128), 255)
            pen = ImageDraw.Draw(picture)
            for stroke in strokes + random.normal(0, 5.0, strokes.shape):
                pen.line([tuple(point) for point in stroke], fill=0, width=5, joint="curve")
            picture.save(place / f"{number}.png")
    quick = ("--augment", "characters", "--size", "32", "--people", "8", "--steps", "60")
    timed("train", "drawings", *quick, "--out", "training", folder=folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("threshold", "drawings"))
    parser.add_argument("lfw", nargs="?", type=Path)
    parser.add_argument("--people", type=int, default=80)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if given.what == "drawings":
            drawings(Path(place))
        elif given.lfw is None:
            parser.error("threshold needs the folder of LFW")
        else:
            threshold(given.lfw.resolve(), given.people, Path(place))


if __name__ == "__main__":
    main()

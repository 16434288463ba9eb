"""Faces whose colours stand in OpenCV's order: how often `seems_bgr` says so of photos that are right, and of the same turned round.

python benchmarks/colours.py lfw/images --photos 2500
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from sameface.faces.measures import seems_bgr
from sameface.recognizer import Recognizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=2500)
    given = parser.parse_args()
    photos = sorted(given.folder.rglob("*.jpg"))
    random.Random(0).shuffle(photos)
    finder = Recognizer(threads=1).finder
    crops = [face.crop_rgb for path in photos[: given.photos] for face in finder.faces(path)[:1]]
    wrong = sum(seems_bgr(crop) for crop in crops)
    caught = sum(seems_bgr(crop[..., ::-1]) for crop in crops)
    print(f"{len(crops)} faces: {wrong} seem turned round as they are, {caught} once they are")


if __name__ == "__main__":
    main()

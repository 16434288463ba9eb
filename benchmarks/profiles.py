"""How many turned faces does a detector find, and how many of its faces are none?

    python benchmarks/profiles.py tune|report [--of mtcnn|yunet] [--skip N] [--photos N] [--json out.json]

No set of profiles is at hand, but the photos of LFW hold thousands of faces beside the one that they are named for. A face counts when `yunet` and
`scrfd`, each at its usual threshold, both see it (their boxes share half of their union) and it is at least 32 pixels high in both. How far it is
turned is the mean over both of: the distance of the nose from the line between the middle of the eyes and that of the mouth, along the face's
own horizontal, over half the distance of the eyes along it. 0 is the front; at 1 the nose stands over one eye; beyond lie the profiles.
*Cut* faces reach over the edge of the photo and are told apart.

A face is found when a box of the judged detector shares 0.4 of their union with the reference's. A face of `mtcnn` is *unconfirmed* when neither
of the others, at thresholds as low as 0.3 and 0.2, has a box that shares 0.3 of the union with it. With `--of yunet` YuNet is judged, and is no
judge: a face counts when `scrfd` is surer of it than 0.6, and is unconfirmed when neither `scrfd` at 0.2 nor `mtcnn` sees it. Settings are chosen
on the people of `peopleDevTrain` (tune) and reported once on those of `peopleDevTest`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from sameface.faces import load_detector
from sameface.faces.detector import Detector
from sameface.faces.detector_spec import MtcnnSettings, ScrfdSettings, YunetSettings
from sameface.faces.mtcnn import Mtcnn
from sameface.faces.scrfd import Scrfd
from sameface.faces.suppression import covers
from sameface.faces.yunet import YuNet
from sameface.types import Box, Detection

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
LISTS = {"tune": "peopleDevTrain.txt", "report": "peopleDevTest.txt"}
#: Edges of the classes of turning.
TURNED = (0.0, 0.5, 0.75, 1.0, 1.5, np.inf)
SMALLEST = 32
YUNET, SCRFD = 0.6, 0.5
YUNET_LOW, SCRFD_LOW = 0.3, 0.2
SCRFD_SURE = 0.6


class Reference(NamedTuple):
    """A face that two other detectors agree on."""

    box: Box
    turned: float
    cut: bool


class Seen(NamedTuple):
    """One photo: what should be found, and by variant which of that was, how many faces there were, how many unconfirmed."""

    references: list[Reference]
    found: dict[str, list[bool]]
    faces: dict[str, int]
    unconfirmed: dict[str, int]
    other_choice: bool


def edges(faces: list[Detection]) -> npt.NDArray[np.float32]:
    """Boxes as an array ``(n, 4)``."""
    return np.array([face.box.xyxy for face in faces], dtype=np.float32).reshape(-1, 4)


def turned(points: npt.NDArray[np.float32]) -> float:
    """How far a face is turned; see the head of this file."""
    eyes, mouth = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    across = np.array([down[1], -down[0]])
    half = abs(float((points[1] - points[0]) @ across)) / 2
    return min(100.0, abs(float((points[2] - eyes) @ across)) / max(half, 1e-6))


def surest(scrfd: list[Detection], size_wh: tuple[int, int]) -> Iterator[Reference]:
    """Faces that SCRFD alone is sure of."""
    for face in scrfd:
        if face.confidence < SCRFD_SURE or face.box.height < SMALLEST or face.landmarks is None:
            continue
        x1, y1, x2, y2 = face.box.xyxy
        cut = x1 < 0 or y1 < 0 or x2 > size_wh[0] or y2 > size_wh[1]
        yield Reference(face.box, turned(face.landmarks.points_xy), cut)


def references(yunet: list[Detection], scrfd: list[Detection], size_wh: tuple[int, int]) -> Iterator[Reference]:
    """Faces that both see."""
    sure = [face for face in scrfd if face.confidence >= SCRFD and face.box.height >= SMALLEST]
    for face in yunet:
        if face.confidence < YUNET or face.box.height < SMALLEST:
            continue
        same = np.flatnonzero(covers(edges([face]), edges(sure), 0.5)[0])
        if not same.size:
            continue
        points = [one.landmarks.points_xy for one in (face, sure[same[0]]) if one.landmarks is not None]
        x1, y1, x2, y2 = face.box.xyxy
        cut = x1 < 0 or y1 < 0 or x2 > size_wh[0] or y2 > size_wh[1]
        yield Reference(face.box, float(np.mean([turned(five) for five in points])), cut)


def nearest_the_middle(faces: list[Detection], size_wh: tuple[int, int]) -> Box | None:
    """The face that evaluations take."""
    middle = np.array(size_wh) / 2
    return min((face.box for face in faces), key=lambda box: np.linalg.norm(middle - box.center_xy), default=None)


def table(seen: list[Seen], variants: list[str]) -> list[dict[str, object]]:
    """Recall by class of turning."""
    rows: list[dict[str, object]] = []
    for cut in (False, True):
        for low, high in pairwise(TURNED):
            here = [
                (photo, place)
                for photo in seen
                for place, face in enumerate(photo.references)
                if face.cut == cut and low <= face.turned < high
            ]
            row: dict[str, object] = {"cut": cut, "turned": f"{low:g} to {high:g}", "faces": len(here)}
            row |= {name: sum(photo.found[name][place] for photo, place in here) for name in variants}
            rows.append(row)
            shares = "  ".join(
                f"{name} {row[name]} = {100 * int(str(row[name])) / max(1, len(here)):.1f} %" for name in variants
            )
            print(f"{'cut  ' if cut else 'whole'} {row['turned']:>12}  {len(here):6} faces  {shares}")
    return rows


def main() -> None:
    """Look at all photos of one half of the people."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", choices=LISTS)
    parser.add_argument("--of", choices=("mtcnn", "yunet"), default="mtcnn", help="the detector that is judged")
    parser.add_argument("--photos", type=int, help="only so many, drawn at random")
    parser.add_argument("--skip", type=int, default=0, help="pass over so many first, for a run in parts")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("SAMEFACE_MODELS", str(DATA / "models"))
    scrfd = Scrfd(ScrfdSettings(SCRFD_LOW), threads=1)
    other: Detector = Mtcnn(threads=1) if options.of == "yunet" else YuNet(YunetSettings(YUNET_LOW), threads=1)
    variants: dict[str, Detector] = (
        {name: load_detector(name, threads=1) for name in ("yunet", "yunet/t0.5", "mtcnn")}
        if options.of == "yunet"
        else {"one look": Mtcnn(MtcnnSettings(second_look=None), threads=1), "second look": Mtcnn(threads=1)}
    )

    def look(path: Path) -> Seen:
        image = np.asarray(Image.open(path).convert("RGB"))
        size_wh = image.shape[1], image.shape[0]
        others = other.detect(image), scrfd.detect(image)
        wanted = list(surest(others[1], size_wh) if options.of == "yunet" else references(*others, size_wh))
        low = np.concatenate([edges(part) for part in others])
        found = {name: detector.detect(image) for name, detector in variants.items()}
        wanted_edges = np.array([face.box.xyxy for face in wanted], dtype=np.float32).reshape(-1, 4)
        chosen = {nearest_the_middle(faces, size_wh) for faces in found.values()}
        return Seen(
            wanted,
            {name: covers(wanted_edges, edges(faces), 0.4).any(axis=1).tolist() for name, faces in found.items()},
            {name: len(faces) for name, faces in found.items()},
            {name: int((~covers(edges(faces), low, 0.3).any(axis=1)).sum()) for name, faces in found.items()},
            len(chosen) > 1,
        )

    lines = (DATA / "lfw" / LISTS[options.half]).read_text(encoding="utf-8").splitlines()[1:]
    people = [line.split("\t")[0] for line in lines if line.strip()]
    photos = [path for name in people for path in sorted((DATA / "lfw" / "images" / name).glob("*.jpg"))]
    random.Random(5).shuffle(photos)
    photos = photos[options.skip :][: options.photos]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = list(pool.map(look, photos))
    rows = table(seen, list(variants))
    for name in variants:
        faces, unconfirmed = (
            sum(part[name] for part in counts) for counts in zip(*((s.faces, s.unconfirmed) for s in seen), strict=True)
        )
        print(f"{name}: {faces} faces in {len(photos)} photos, {unconfirmed} unconfirmed")
    if options.of == "mtcnn":
        print(
            f"photos of which another face is the one nearest the middle: {sum(photo.other_choice for photo in seen)}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

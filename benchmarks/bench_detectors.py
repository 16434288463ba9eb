"""Detectors side by side: faces found against face size, faces of LFW not found, groups, landmarks, speed.

    python benchmarks/bench_detectors.py [--photos 300] [--json out.json]

Recall against size: the central face of LFW photos, scaled so that YuNet's box at full size gets the wanted height, on a
grey photo of 640 × 480. Landmark error: mean distance to the points of the other detectors' mean, in percent of the
distance between the eyes. Groups: 32 LFW photos on one picture of 1920 × 1080, eight by four. Speed: CPU time of one
thread and wall time of all threads, on a shipped portrait.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sameface.faces import load_detector
from sameface.faces.detector import Detector
from sameface.faces.detector_spec import MtcnnSettings
from sameface.faces.mtcnn import Mtcnn
from sameface.types import Detection, ImageRGB

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
HEIGHTS = (16, 20, 24, 28, 32, 40, 48, 64, 96)
CANVAS_WH = (640, 480)


def detectors(threads: int | None) -> dict[str, Callable[[], Detector]]:
    """What is compared, by name."""
    return {
        "mtcnn": lambda: load_detector("mtcnn", threads=threads),
        "mtcnn/min20": lambda: Mtcnn(MtcnnSettings(smallest_face=20), threads=threads),
        "mtcnn/min40": lambda: Mtcnn(MtcnnSettings(smallest_face=40), threads=threads),
        "yunet": lambda: load_detector("yunet", threads=threads),
        "scrfd": lambda: load_detector("scrfd", threads=threads),
    }


def central(found: list[Detection], x: float, y: float) -> Detection | None:
    """The most confident detection that holds a point."""
    return next((one for one in found if one.box.x1 < x < one.box.x2 and one.box.y1 < y < one.box.y2), None)


def photos(count: int) -> list[Path]:
    """LFW photos of View 1's development people, one a person, shuffled with a fixed seed."""
    names = sorted((DATA / "lfw" / "images").glob("*/*_0001.jpg"))
    random.Random(5).shuffle(names)
    return names[:count]


def recall_by_size(loaded: dict[str, Detector], names: list[Path]) -> dict[str, dict[int, float]]:
    """Share of faces found, by detector and height of the face."""
    found: dict[str, dict[int, list[bool]]] = {name: {height: [] for height in HEIGHTS} for name in loaded}
    for path in names:
        photo = Image.open(path).convert("RGB")
        whole = central(loaded["yunet"].detect(np.asarray(photo)), 125, 125)
        if whole is None:
            continue
        for height in HEIGHTS:
            scale = height / whole.box.height
            small = photo.resize((round(250 * scale),) * 2, Image.Resampling.LANCZOS)
            canvas = Image.new("RGB", CANVAS_WH, (120, 120, 120))
            left, top = 60 + (hash_of(path) * 7) % 200, 50 + (hash_of(path) * 11) % 150
            canvas.paste(small, (left, top))
            x, y = (np.array(whole.box.center_xy) * scale + (left, top)).tolist()
            image = np.asarray(canvas)
            for name, detector in loaded.items():
                found[name][height].append(central(detector.detect(image), x, y) is not None)
    return {name: {size: statistics.mean(hits) for size, hits in rows.items()} for name, rows in found.items()}


def hash_of(path: Path) -> int:
    """A number that is the same in every run."""
    return sum(path.name.encode())


def on_lfw(loaded: dict[str, Detector], names: list[Path]) -> dict[str, dict[str, float]]:
    """Not found, further faces a photo, landmark error."""
    missed = dict.fromkeys(loaded, 0)
    further = dict.fromkeys(loaded, 0)
    apart: dict[str, list[float]] = {name: [] for name in loaded}
    for path in names:
        image = np.asarray(Image.open(path).convert("RGB"))
        here: dict[str, Detection] = {}
        for name, detector in loaded.items():
            found = detector.detect(image)
            face = central(found, 125, 125)
            further[name] += len(found) - (face is not None)
            if face is None:
                missed[name] += 1
            else:
                here[name] = face
        if len(here) == len(loaded):
            points = {name: face.landmarks.points_xy for name, face in here.items() if face.landmarks is not None}
            families = {name.split("/")[0]: five for name, five in points.items()}
            eyes = float(np.linalg.norm(np.mean([five[1] - five[0] for five in families.values()], axis=0)))
            for name, five in points.items():
                others = [other for family, other in families.items() if family != name.split("/")[0]]
                error = np.linalg.norm(five - np.mean(others, axis=0), axis=1).mean()
                apart[name].append(100 * float(error) / eyes)
    return {
        name: {
            "not found, %": 100 * missed[name] / len(names),
            "further faces a photo": further[name] / len(names),
            "landmarks, % of eye distance": statistics.median(apart[name]) if apart[name] else float("nan"),
        }
        for name in loaded
    }


def on_groups(loaded: dict[str, Detector], names: list[Path]) -> dict[str, dict[str, float]]:
    """Share of the faces in the middles of the pasted photos that is found."""
    columns, rows, side = 8, 4, 240
    many = columns * rows
    found = dict.fromkeys(loaded, 0)
    groups = [names[start : start + many] for start in range(0, len(names) - many + 1, many)]
    for group in groups:
        canvas = Image.new("RGB", (columns * side, 1080))
        corners = [(side * (place % columns), 270 * (place // columns)) for place in range(many)]
        for path, corner in zip(group, corners, strict=True):
            canvas.paste(Image.open(path).convert("RGB").resize((side, side), Image.Resampling.LANCZOS), corner)
        image = np.asarray(canvas)
        for name, detector in loaded.items():
            faces = detector.detect(image)
            found[name] += sum(central(faces, x + side / 2, y + side / 2) is not None for x, y in corners)
    return {name: {"found": count, "of": many * len(groups)} for name, count in found.items()}


def portrait(size_wh: tuple[int, int]) -> ImageRGB:
    """A shipped portrait, cut to size."""
    photo = Image.open(ROOT / "examples" / "photos" / "obama.jpg").convert("RGB")
    return np.asarray(ImageOps.fit(photo, size_wh, centering=(0.5, 0.3)))


def speed(make: Callable[[], Detector], clock: Callable[[], float], repeats: int) -> dict[str, float]:
    """Milliseconds at two sizes, median."""
    detector, times = make(), {}
    for size in ((640, 480), (1920, 1080)):
        image = portrait(size)
        detector.detect(image)
        taken = []
        for _ in range(repeats):
            start = clock()
            detector.detect(image)
            taken.append(1000 * (clock() - start))
        times[f"{size[0]}×{size[1]}"] = statistics.median(taken)
    return times


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("SAMEFACE_MODELS", str(DATA / "models"))
    names = photos(options.photos)
    loaded = {name: make() for name, make in detectors(None).items()}
    recall, lfw, groups = recall_by_size(loaded, names), on_lfw(loaded, names), on_groups(loaded, names)
    wall = {name: speed(make, time.perf_counter, options.repeats) for name, make in detectors(None).items()}
    cpu = {name: speed(make, time.process_time, options.repeats) for name, make in detectors(1).items()}
    print(f"recall by height of the face in pixels, {len(names)} photos")
    print("| detector | " + " | ".join(map(str, HEIGHTS)) + " |")
    for name, rows in recall.items():
        print(f"| {name} | " + " | ".join(f"{100 * share:.1f}" for share in rows.values()) + " |")
    for title, table in (("LFW", lfw), ("groups", groups), ("ms, all threads", wall), ("ms of CPU, one thread", cpu)):
        print(title)
        for name, row in table.items():
            print(f"| {name} | " + " | ".join(f"{key} {value:.2f}" for key, value in row.items()) + " |")
    if options.json:
        options.json.write_text(
            json.dumps({"recall": recall, "lfw": lfw, "groups": groups, "wall": wall, "cpu": cpu}, indent=1)
        )


if __name__ == "__main__":
    main()

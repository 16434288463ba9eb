"""Whole photos, this pipeline against dlib's own: the distance between the two embeddings of the same face.

    python benchmarks/parity_dlib.py [--photos 600] [--detector mtcnn] [--json out.json]

dlib's side: its HOG detector (upsampled once where it finds nothing), its 5-point predictor, its chip, its network, as
face_recognition does. Our side: our detector, predictor, chip and network. A photo counts where both find the central face.
Beside it: what remains when both start from the same box, which shows that all of the rest comes from the box.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
from pathlib import Path

import dlib
import numpy as np
from PIL import Image

from sameface.encoders import load_encoder
from sameface.faces import load_aligner, load_detector
from sameface.faces.choose import choose_face
from sameface.faces.dlib_box import dlib_box
from sameface.models.registry import package_folder

#: Photos on which the same box is compared too.
SAME_BOX = 100
ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))


def photos(count: int) -> list[Path]:
    """One photo of each of some people, the same in every run."""
    names = sorted((DATA / "lfw" / "images").glob("*/*_0001.jpg"))
    random.Random(11).shuffle(names)
    return names[:count]


def central(boxes: list[dlib.rectangle], middle: float) -> dlib.rectangle | None:
    """dlib's box nearest the middle."""
    return min(boxes, key=lambda box: (box.center().x - middle) ** 2 + (box.center().y - middle) ** 2, default=None)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--detector", default="mtcnn")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("SAMEFACE_MODELS", str(DATA / "models"))
    folder = package_folder("face_recognition_models")
    assert folder is not None
    hog = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(folder / "models" / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(folder / "models" / "dlib_face_recognition_resnet_model_v1.dat"))
    detector = load_detector(options.detector)
    aligner = load_aligner("dlib5", "dlib-chip-0.25", 150)
    encoder = load_encoder("dlib-resnet")

    whole: list[float] = []
    same_box: list[float] = []
    not_found = {"dlib": 0, options.detector: 0}
    for path in photos(options.photos):
        image = np.asarray(Image.open(path).convert("RGB"))
        box = central(list(hog(image, 0)) or list(hog(image, 1)), 125)
        found = detector.detect(image)
        not_found["dlib"] += box is None
        not_found[options.detector] += not found
        if box is None or not found:
            continue
        face = choose_face(found, image, "centre")
        theirs = np.array(network.compute_face_descriptor(image, predictor(image, box)))
        ours = encoder.encode(aligner.align(image, [face]))[0]
        whole.append(float(np.linalg.norm(ours - theirs)))
        if len(whole) > SAME_BOX:
            continue
        x1, y1, x2, y2 = (int(np.floor(edge + 0.5)) for edge in dlib_box(face).xyxy)
        there = np.array(network.compute_face_descriptor(image, predictor(image, dlib.rectangle(x1, y1, x2, y2))))
        same_box.append(float(np.linalg.norm(ours - there)))
    report = {
        "detector": detector.id,
        "alignment": aligner.id,
        "photos": options.photos,
        "compared": len(whole),
        "not found": not_found,
        "whole pipeline": {
            "median": statistics.median(whole),
            "p95": float(np.percentile(whole, 95)),
            "max": max(whole),
        },
        "same box": {"median": statistics.median(same_box), "max": max(same_box)},
    }
    print(json.dumps(report, indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

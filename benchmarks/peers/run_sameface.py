"""sameface: its default and its 8 bits; with dlib installed, the same weights as face_recognition's. A cold process is its own command."""

from __future__ import annotations

import sys
from functools import partial
from importlib.util import find_spec

from runner import Work, chips, serve

from sameface.imaging import load_image
from sameface.recognizer import Recognizer

PLAIN = (("default", "yunet", {}), ("int8", "yunet", {"encoder": "sface-2021dec-unit-int8"}))
DLIB = (("dlib-resnet", "mtcnn", {"encoder": "dlib-resnet"}),)


def main(photo: str) -> None:
    tasks: dict[str, Work] = {}
    image = load_image(photo)
    for title, detector, encoder in DLIB if find_spec("face_recognition_models") else PLAIN:
        recognizer = Recognizer(detector=detector, threads=2, **encoder)
        if len(recognizer.encode_faces(photo)) != 1:
            raise SystemExit(f"{detector} does not find the one face")
        tasks[f"{title}/photo"] = partial(recognizer.encode_photo, photo)
        tasks[f"{detector}/detect"] = partial(recognizer.detector.detect, image)
        side = recognizer.card.input_size_wh[0]
        for count in (1, 8, 32):
            tasks[f"{title}/embed {count}"] = partial(recognizer.encoder.encode, chips(count, side))
    serve(tasks)


if __name__ == "__main__":
    main(sys.argv[1])

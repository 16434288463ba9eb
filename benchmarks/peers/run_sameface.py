"""sameface: its default, the same weights as face_recognition's, 8 bits; MTCNN and YuNet. A cold process is its own command."""

from __future__ import annotations

import sys
from functools import partial

from runner import Work, chips, serve

from sameface.imaging import load_image
from sameface.recognizer import Recognizer

ENCODERS = {"default": None, "dlib-resnet": "dlib-resnet", "int8": "dlib-resnet-mirror-unit-int8"}


def main(photo: str) -> None:
    tasks: dict[str, Work] = {}
    image = load_image(photo)
    for encoder, name in ENCODERS.items():
        for detector in ("mtcnn", "yunet"):
            extra = {} if name is None else {"encoder": name}
            recognizer = Recognizer(detector=detector, threads=2, **extra)
            if len(recognizer.encode_faces(photo)) != 1:
                raise SystemExit(f"{detector} does not find the one face")
            tasks[f"{encoder}+{detector}/photo"] = partial(recognizer.encode_photo, photo)
            if encoder == "default":
                tasks[f"{detector}/detect"] = partial(recognizer.detector.detect, image)
            if detector == "mtcnn":
                side = recognizer.card.input_size_wh[0]
                for count in (1, 8, 32):
                    tasks[f"{encoder}/embed {count}"] = partial(recognizer.encoder.encode, chips(count, side))
    serve(tasks)


if __name__ == "__main__":
    main(sys.argv[1])

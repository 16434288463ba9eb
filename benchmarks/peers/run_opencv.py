"""OpenCV's own YuNet and SFace (FaceDetectorYN, FaceRecognizerSF), as its documentation joins them."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

import cv2


def load(image: Any) -> tuple[Any, Any]:
    """Detector for pictures of this size, and recogniser."""
    cv2.setNumThreads(2)
    detector = cv2.FaceDetectorYN_create(os.environ["YUNET"], "", (image.shape[1], image.shape[0]))
    return detector, cv2.FaceRecognizerSF_create(os.environ["SFACE"], "")


def embed(path: str, detector: Any, recogniser: Any) -> Any:
    image = cv2.imread(path)
    found = detector.detect(image)[1]
    if found is None:
        raise SystemExit("YuNet does not find the face")
    return recogniser.feature(recogniser.alignCrop(image, found[0]))


def main(photo: str) -> None:
    from runner import chips, serve

    image = cv2.imread(photo)
    detector, recogniser = load(image)
    found = detector.detect(image)[1]
    if found is None or len(found) != 1:
        raise SystemExit("YuNet does not find the one face")
    crops = {count: chips(count, 112) for count in (1, 8, 32)}
    tasks = {f"embed {count}": partial(_each, recogniser, some) for count, some in crops.items()}
    tasks["detect"] = partial(detector.detect, image)
    tasks["photo"] = partial(embed, photo, detector, recogniser)
    serve(tasks)


def _each(recogniser: Any, crops: Any) -> None:
    """One by one: it takes no batches."""
    for crop in crops:
        recogniser.feature(crop)


def cold(first: str, second: str) -> None:
    detector, recogniser = load(cv2.imread(first))
    one = embed(first, detector, recogniser)
    size = cv2.imread(second).shape
    detector.setInputSize((size[1], size[0]))
    other = embed(second, detector, recogniser)
    recogniser.match(one, other, cv2.FaceRecognizerSF_FR_NORM_L2)


if __name__ == "__main__":
    cold(*sys.argv[2:]) if sys.argv[1] == "cold" else main(sys.argv[1])

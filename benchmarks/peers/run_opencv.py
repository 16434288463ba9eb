"""OpenCV's FaceDetectorYN (YuNet). Its recogniser's file, SFace, is 39 MB that nobody may fetch here: detection only."""

from __future__ import annotations

import os
import sys
from functools import partial

import cv2
from runner import serve


def main(photo: str) -> None:
    cv2.setNumThreads(2)
    image = cv2.imread(photo)
    size_wh = (image.shape[1], image.shape[0])
    detector = cv2.FaceDetectorYN_create(os.environ["YUNET"], "", size_wh)
    found = detector.detect(image)[1]
    if found is None or len(found) != 1:
        raise SystemExit("YuNet does not find the one face")
    serve({"detect": partial(detector.detect, image)})


if __name__ == "__main__":
    main(sys.argv[1])

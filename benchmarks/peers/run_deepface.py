"""DeepFace 0.0.103 on its ONNX backend: Facenet 128-D, yunet."""

from __future__ import annotations

import sys
from functools import partial


def represent(photo: object) -> list[dict[str, object]]:
    from deepface import DeepFace

    return DeepFace.represent(photo, model_name="Facenet", detector_backend="yunet")


def main(photo: str) -> None:
    import cv2
    import numpy as np
    from deepface import DeepFace
    from deepface.modules import modeling
    from runner import chips, serve

    faces = represent(photo)
    if len(faces) != 1:
        raise SystemExit("yunet does not find the one face")
    image = cv2.imread(photo)
    network = modeling.build_model(task="facial_recognition", model_name="Facenet")
    # extract_faces copies, aligns and cuts too; the detector alone is what the other rows show.
    detector = modeling.build_model(task="face_detector", model_name="yunet")
    tasks = {
        f"embed {count}": partial(network.forward, chips(count, 160).astype(np.float32) / 255) for count in (1, 8, 32)
    }
    assert DeepFace is not None
    serve({**tasks, "detect": partial(detector.detect_faces, image), "photo": partial(represent, photo)})


def cold(first: str, second: str) -> None:
    from deepface import DeepFace

    # Random weights: what it answers means nothing, what it does is the same.
    DeepFace.verify(first, second, model_name="Facenet", detector_backend="yunet")


if __name__ == "__main__":
    cold(*sys.argv[2:]) if sys.argv[1] == "cold" else main(sys.argv[1])

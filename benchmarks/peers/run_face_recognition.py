"""face_recognition 1.3.0 with the dlib-bin wheel: dlib's ResNet, its HOG detector as the library calls it (one upsampling)."""

from __future__ import annotations

import sys
from functools import partial


def main(photo: str) -> None:
    import face_recognition
    import numpy as np
    from face_recognition import api
    from runner import chips, serve

    image = face_recognition.load_image_file(photo)
    if len(face_recognition.face_locations(image)) != 1:
        raise SystemExit("HOG does not find the one face")
    crops = {count: [np.ascontiguousarray(chip) for chip in chips(count, 150)] for count in (1, 8, 32)}
    network = api.face_encoder
    tasks = {f"embed {count}": partial(network.compute_face_descriptor, some) for count, some in crops.items()}
    tasks["detect"] = partial(face_recognition.face_locations, image)
    tasks["photo"] = lambda: face_recognition.face_encodings(face_recognition.load_image_file(photo))
    serve(tasks)


def cold(first: str, second: str) -> None:
    import face_recognition

    one, other = (
        face_recognition.face_encodings(face_recognition.load_image_file(path))[0] for path in (first, second)
    )
    sys.exit(0 if face_recognition.compare_faces([one], other)[0] else 1)


if __name__ == "__main__":
    cold(*sys.argv[2:]) if sys.argv[1] == "cold" else main(sys.argv[1])

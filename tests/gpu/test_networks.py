"""On an NVIDIA GPU the networks give the processor's answers, and really run there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from sameface.encoders import load_encoder
from sameface.models.devices import built_devices, why_not
from sameface.recognizer import Recognizer

PHOTOS = Path(__file__).resolve().parents[2] / "examples" / "photos"

pytestmark = [
    pytest.mark.skipif(not shutil.which("nvidia-smi"), reason="no NVIDIA GPU"),
    pytest.mark.skipif("cuda" not in built_devices(), reason="no NVIDIA GPU in this build of ONNX Runtime"),
]


def test_the_device_starts() -> None:
    assert why_not("cuda") is None


def test_photos_get_the_boxes_and_embeddings_of_the_processor() -> None:
    here, there = Recognizer(), Recognizer(device="cuda")
    for path in sorted(PHOTOS.glob("*.jpg")):
        ours, theirs = here.encode_faces(path), there.encode_faces(path)
        assert len(ours) == len(theirs) > 0
        for a, b in zip(ours, theirs, strict=True):
            assert astuple(a.detection.box) == pytest.approx(astuple(b.detection.box), abs=0.05)
            assert np.linalg.norm(a.embedding - b.embedding) < 1e-3


@pytest.mark.parametrize("name", ["sface-2021dec-unit", "sface-2021dec-mirror-unit"])
def test_crops_get_the_embeddings_of_the_processor(name: str) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (40, 112, 112, 3)).astype(np.uint8)
    ours, theirs = (load_encoder(name, device=device).encode(crops) for device in ("cpu", "cuda"))
    assert np.linalg.norm(ours - theirs, axis=1).max() < 1e-4


def test_the_command_line_says_and_uses_it() -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "sameface", *words], capture_output=True, text=True, check=False)

    assert "cuda" in run("doctor").stdout
    pair = [str(PHOTOS / "obama.jpg"), str(PHOTOS / "obama2.jpg")]
    distances = [
        json.loads(run("verify", *pair, "--json", *on).stdout)["distance"] for on in ([], ["--device", "cuda"])
    ]
    assert distances[0] == pytest.approx(distances[1], abs=1e-3)

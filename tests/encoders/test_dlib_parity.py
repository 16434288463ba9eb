"""Raw embeddings against dlib's own, on the same chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.encoders import load_encoder
from sameface.models.registry import load_card, locate
from sameface.types import CropsRGB

LIMIT = 1e-4


@pytest.fixture(scope="module")
def dlib_network() -> object:
    dlib = pytest.importorskip("dlib")
    return dlib.face_recognition_model_v1(str(locate(load_card("dlib-resnet"))[0]))


def theirs(network: object, chips: CropsRGB) -> np.ndarray:
    return np.array([network.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips])  # type: ignore[attr-defined]


def test_on_the_shipped_photos(dlib_network: object, crops: CropsRGB) -> None:
    ours = load_encoder("dlib-resnet").encode(crops)
    assert np.abs(ours - theirs(dlib_network, crops)).max() <= LIMIT


def test_on_lfw(dlib_network: object, data: Path) -> None:
    chips = []
    for path in sorted((data / "lfw" / "images").glob("A*/*_0001.jpg"))[:12]:
        with Image.open(path) as picture:
            chips.append(np.asarray(picture.convert("RGB").crop((60, 60, 190, 190)).resize((150, 150))))
    stack = np.stack(chips)
    assert np.abs(load_encoder("dlib-resnet").encode(stack) - theirs(dlib_network, stack)).max() <= LIMIT


def test_the_variants_are_the_raw_network_seen_otherwise(crops: CropsRGB) -> None:
    raw = load_encoder("dlib-resnet").encode(crops)
    mirrored = load_encoder("dlib-resnet").encode(crops[:, :, ::-1])
    mean = (raw + mirrored) / 2
    np.testing.assert_allclose(load_encoder("dlib-resnet-mirror").encode(crops), mean, atol=1e-5)
    for name, vectors in (("dlib-resnet-unit", raw), ("dlib-resnet-mirror-unit", mean)):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        np.testing.assert_allclose(load_encoder(name).encode(crops), unit, atol=1e-5)

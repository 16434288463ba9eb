from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.encoders import load_encoder, quantising
from sameface.encoders.quantising import LEAST_CROPS, quantise_encoder
from sameface.errors import ModelCardError, NotEnoughDataError
from sameface.models.registry import load_card
from sameface.types import CropsRGB


def test_the_shipped_8_bit_encoder_stays_near_its_original(crops: CropsRGB) -> None:
    whole = load_encoder("dlib-resnet-mirror-unit").encode(crops)
    eighth = load_encoder("dlib-resnet-mirror-unit-int8").encode(crops)
    moved = np.linalg.norm(whole - eighth, axis=1)
    assert moved.max() < 0.06  # people are about 0.4 apart at the threshold
    assert moved.min() > 0  # it is another network indeed


def test_sface_in_8_bits_stays_near_its_original(crops: CropsRGB) -> None:
    whole = load_encoder("sface-2021dec-unit").encode(crops)
    eighth = load_encoder("sface-2021dec-unit-int8").encode(crops)
    moved = np.linalg.norm(whole - eighth, axis=1)
    assert moved.max() < 0.25  # people are about 1.1 apart at the threshold
    assert moved.min() > 0


def test_a_quantised_copy_of_any_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    research = (data / "models" / "mobilefacenet_y1.onnx").read_bytes()
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path))
    (tmp_path / "mobilefacenet_y1.onnx").write_bytes(research)
    monkeypatch.setattr(
        quantising, "LEAST_CROPS", 16
    )  # for the ranges of good weights it is too few, and takes a quarter of the time
    photos = sorted((data / "lfw" / "images").glob("*/*_0001.jpg"))[::300][:16]
    faces = np.stack([np.asarray(Image.open(photo).convert("RGB").crop((75, 75, 175, 175))) for photo in photos])
    made = quantise_encoder("mobilefacenet-y1", faces)
    assert made.id.startswith("mobilefacenet-y1-int8-")
    assert made.id.endswith(made.sha256[:6])
    assert load_card(made.id) == made
    assert made.bytes < len(research) / 2.5
    whole, eighth = load_encoder("mobilefacenet-y1").encode(faces), load_encoder(made.id).encode(faces)
    near, far = (whole * eighth).sum(axis=1), (whole[1:] * eighth[:-1]).sum(axis=1)
    assert near.min() > 0.5
    assert near.mean() > far.mean() + 0.3
    with pytest.raises(ModelCardError, match="float32"):
        quantise_encoder(made.id, faces)


def test_what_cannot_be_quantised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = np.zeros((LEAST_CROPS, 8, 8, 3), np.uint8)
    for name in ("pixels", "mtcnn", "dlib-resnet-mirror-unit-int8"):
        with pytest.raises(ModelCardError, match="float32 encoder"):
            quantise_encoder(name, some)
    with pytest.raises(NotEnoughDataError):
        quantise_encoder("dlib-resnet", some[:5])

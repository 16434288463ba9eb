"""One suite over every encoder."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sameface.defaults import DEFAULT_ENCODER
from sameface.encoders import Encoder, load_encoder
from sameface.errors import CropError, ModelMissingError
from sameface.models.card import ModelCard
from sameface.models.registry import cards, locate, network_card, shipped_ids
from sameface.types import CropsRGB
from tests.left_out import lacking


def _has(card: ModelCard) -> bool:
    try:
        return bool(locate(card))
    except ModelMissingError:
        return False


#: What comes by download only joins where it was pulled; what somebody added to this machine does not.
ENCODERS = [
    card.id
    for card in cards("encoder")
    if card.id in shipped_ids() and (_has(card) or not any(file.url for file in network_card(card).files))
]


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    try:
        return load_encoder(request.param)
    except ModelMissingError:
        lacking("the research data", "set SAMEFACE_DATA to the folder of research data")


@pytest.fixture(scope="module")
def embedded(encoder: Encoder, crops: CropsRGB) -> np.ndarray:
    """What the encoder gives for the crops, all in one call."""
    embeddings = encoder.encode(crops)
    embeddings.flags.writeable = False
    return embeddings


@pytest.fixture(scope="module")
def alone(encoder: Encoder, crops: CropsRGB) -> np.ndarray:
    """What the encoder gives for the crops, one a call."""
    embeddings = np.concatenate([encoder.encode(crop[None]) for crop in crops])
    embeddings.flags.writeable = False
    return embeddings


def test_the_default_is_among_them() -> None:
    assert DEFAULT_ENCODER in ENCODERS


def test_shape_and_type(encoder: Encoder, crops: CropsRGB, embedded: np.ndarray) -> None:
    assert embedded.shape == (len(crops), encoder.card.dimension)
    assert embedded.dtype == np.float32
    assert np.isfinite(embedded).all()


def test_the_facenet_shape_and_other_sizes(encoder: Encoder, crops: CropsRGB) -> None:
    for height, width in ((160, 160), (96, 96), (1, 1), (33, 71)):
        crop = np.zeros((1, height, width, 3), np.uint8) + crops[:1, :1, :1]
        assert encoder.encode(crop).shape == (1, encoder.card.dimension)


def test_nothing_gives_nothing(encoder: Encoder) -> None:
    embeddings = encoder.encode(np.zeros((0, 160, 160, 3), np.uint8))
    assert embeddings.shape == (0, encoder.card.dimension)
    assert embeddings.dtype == np.float32


def test_the_same_crops_give_the_same_embeddings(encoder: Encoder, crops: CropsRGB, embedded: np.ndarray) -> None:
    np.testing.assert_array_equal(encoder.encode(crops.copy()), embedded)


def test_a_batch_gives_what_single_crops_give(encoder: Encoder, crops: CropsRGB, alone: np.ndarray) -> None:
    # One crop more than a run of the network takes, which is four a core.
    order = np.arange(4 * (os.cpu_count() or 1) + 1) % len(crops)
    np.testing.assert_allclose(encoder.encode(crops[order]), alone[order], atol=2e-5)


def test_unit_length_where_the_card_says_so(encoder: Encoder, embedded: np.ndarray) -> None:
    lengths = np.linalg.norm(embedded, axis=1)
    if encoder.card.unit_length:
        np.testing.assert_allclose(lengths, 1.0, atol=1e-5)
    else:
        assert np.abs(lengths - 1.0).max() > 1e-3


def test_mirrored_crops_are_equal_where_both_views_are_averaged(
    encoder: Encoder, crops: CropsRGB, embedded: np.ndarray
) -> None:
    apart = np.abs(embedded - encoder.encode(crops[:, :, ::-1])).max()
    assert (apart < 2e-5) == (set(encoder.card.views) == {"plain", "mirror"})


def test_the_crops_are_left_alone(encoder: Encoder, crops: CropsRGB) -> None:
    given, before = crops[:2].copy(), crops[:2].copy()
    encoder.encode(given)
    np.testing.assert_array_equal(given, before)


def test_any_memory_order_will_do(encoder: Encoder, crops: CropsRGB, embedded: np.ndarray) -> None:
    np.testing.assert_array_equal(encoder.encode(np.asfortranarray(crops)), embedded)
    np.testing.assert_array_equal(encoder.encode(crops[::4]), encoder.encode(crops[::4].copy()))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 150, 150), np.uint8),
        np.zeros((1, 150, 150, 4), np.uint8),
        np.zeros((1, 3, 150, 150), np.uint8),
        np.zeros((1, 0, 150, 3), np.uint8),
        np.zeros((1, 150, 150, 3), np.float32),
        np.zeros((1, 150, 150, 3), np.int64),
        [[[[0, 0, 0]]]],
        None,
    ],
    ids=lambda wrong: f"{type(wrong).__name__} {getattr(wrong, 'shape', '')} {getattr(wrong, 'dtype', '')}",
)
def test_what_is_no_crop_is_refused(encoder: Encoder, wrong: object) -> None:
    with pytest.raises(CropError):
        encoder.encode(wrong)  # type: ignore[arg-type]


def test_threads_get_their_own_faces(encoder: Encoder, crops: CropsRGB, alone: np.ndarray) -> None:
    order = [index % len(crops) for index in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda index: encoder.encode(crops[index : index + 1])[0], order))
    for index, answer in zip(order, answers, strict=True):
        np.testing.assert_allclose(answer, alone[index], atol=2e-5)

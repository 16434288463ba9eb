"""SFace as a chain, in float32 against the publisher's file, and in 8 bits against that; the arithmetic by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

from sameface.errors import ModelDamagedError
from sameface.models.graphs.chain import Chain, Layer, read_chain, turn_steep_slopes
from sameface.models.graphs.converting import read_tidily
from sameface.models.graphs.eight_bits import channel_factors, prepared_chain, write_eight_bits, write_float
from sameface.models.graphs.measuring import measure_ranges
from sameface.models.networks import network_file, read_channels, read_ranges
from sameface.models.registry import load_card, locate
from sameface.models.runtime import Session


@cache
def tidy() -> onnx.ModelProto:
    """Read once: it takes a quarter of a second, and nothing here changes it."""
    return read_tidily(locate(load_card("sface-2021dec"))[0])


def sface() -> Chain:
    return read_chain(tidy())


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(6).integers(0, 256, (3, 3, 112, 112)).astype(np.uint8)


@pytest.fixture(scope="module")
def expected(pixels: np.ndarray) -> np.ndarray:
    session = Session(network_file(load_card("sface-2021dec")))
    return session.run({"data": pixels.astype(np.float32)})[0]


@pytest.mark.parametrize("how", ["as it is", "no steep slopes", "channels of like ranges"])
def test_the_chain_is_the_publishers_network(how: str, pixels: np.ndarray, expected: np.ndarray) -> None:
    chain = sface()
    if how != "as it is":
        assert any((layer.slopes > 1).any() for layer in chain.layers)
        prepared_chain(chain, read_channels("sface-2021dec") if how == "channels of like ranges" else ())
        assert all((layer.slopes <= 1).all() for layer in chain.layers)
    found = Session(write_float(chain).SerializeToString()).run({"pixels": pixels})[0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_8_bits_stay_near(photos: Path) -> None:
    """On real crops in `tests/encoders`; here that every layer is an integer operation once ONNX Runtime has joined them."""
    network = onnx.load(network_file(load_card("sface-2021dec-unit-int8")))
    kinds = [node.op_type for node in network.graph.node]
    assert kinds.count("Max") == 27
    assert "PRelu" not in kinds
    assert network.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8


def tiny(slope: float) -> Chain:
    """One channel, two layers of one number each, and a last layer of one number: 2 · prelu(3 (x − 5) + 1) + 7, then doubled."""
    first = Layer(np.full((1, 1, 1, 1), 3.0), np.array([1.0]), np.array([slope]), {"kernel_shape": [1, 1]})
    second = Layer(np.full((1, 1, 1, 1), 2.0), np.array([7.0]), np.array([1.0]), {"kernel_shape": [1, 1]})
    return Chain(5.0, [first, second], np.full((1, 1, 1), 2.0), np.array([0.0]))


@pytest.mark.parametrize("slope", [0.5, 1.0, 4.0, -2.0])
@pytest.mark.parametrize("x", [0, 5, 9])
def test_steep_slopes_by_hand(slope: float, x: int) -> None:
    inner = 3 * (x - 5) + 1
    by_hand = 2 * (2 * (inner if inner > 0 else slope * inner) + 7)
    chain = tiny(slope)
    turn_steep_slopes(chain)
    three = np.full((1, 3, 1, 1), x, np.uint8)
    for layer in chain.layers[:1]:
        layer.filters = np.concatenate([layer.filters, np.zeros((1, 2, 1, 1))], axis=1)
    assert Session(write_float(chain).SerializeToString()).run({"pixels": three})[0].item() == pytest.approx(by_hand)


def test_factors_bring_channels_to_like_ranges() -> None:
    """Four times as loud is two octaves: eight quarters apart in full, four by the root."""
    layer = Layer(np.ones((2, 1, 1, 1)), np.zeros(2), np.full(2, 0.5), {})
    chain = Chain(0.0, [layer, layer], np.ones((1, 2, 1)), np.zeros(1))
    assert channel_factors(chain, [np.array([1.0, 4.0]), np.array([1.0, 4.0])]) == [[-4, 4], [-2, 2]]


def test_measured_ranges_hold_what_comes(pixels: np.ndarray) -> None:
    ranges = measure_ranges(sface, lambda: [pixels])
    assert len(ranges.channels) == len(ranges.values) == 27
    chain = prepared_chain(sface(), ranges.channels)
    values = Session(write_float(chain).SerializeToString()).run({"pixels": pixels})[1:]
    for (low, high), seen in zip(ranges.values, values, strict=True):
        assert seen.min() <= low < high <= seen.max()
    eighth = Session(write_eight_bits(chain, ranges.values).SerializeToString()).run({"pixels": pixels})[0]
    whole = Session(write_float(prepared_chain(sface())).SerializeToString()).run({"pixels": pixels})[0]
    cosines = (eighth * whole).sum(axis=1) / np.linalg.norm(eighth, axis=1) / np.linalg.norm(whole, axis=1)
    assert cosines.min() > 0.95


def test_the_shipped_ranges_fit_the_network() -> None:
    chain = sface()
    assert [len(factors) for factors in read_channels("sface-2021dec")] == [len(layer.biases) for layer in chain.layers]
    assert len(read_ranges("sface-2021dec")) == len(chain.layers)


def test_a_network_that_is_no_chain_is_refused(data: Path) -> None:
    with pytest.raises(ModelDamagedError, match="chain"):
        read_chain(read_tidily(data / "models" / "mobilefacenet_y1.onnx"))

"""The reader of shape predictors: a hand-written file of the smallest predictor, and files that are something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.errors import ModelDamagedError, SettingError
from sameface.models.dlib_shape_predictor import FILES, _starts, load_shape_predictor, read_shape_predictor
from sameface.models.registry import package_folder


def integer(value: int) -> bytes:
    """dlib's integer, written by hand from its description: control byte, then little-endian magnitude."""
    width = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([width | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(width, "little")


def number(value: float) -> bytes:
    """Mantissa and exponent, for values that are whole sixteenths."""
    return integer(round(value * 16)) + integer(-4)


def tiny(points: int = 1, splits: int = 15) -> bytes:
    """One cascade of one tree over three pixels."""
    rows = 2 * points
    data = integer(1) + integer(-rows) + integer(-1) + b"".join(number(0.5 * k) for k in range(rows))
    data += integer(1) + integer(1) + integer(splits)
    data += b"".join(integer(k % 3) + integer((k + 1) % 3) + number(-k / 4) for k in range(splits))
    data += integer(splits + 1)
    for leaf in range(splits + 1):
        data += integer(-rows) + integer(-1) + b"".join(number(leaf - k / 8) for k in range(rows))
    data += integer(1) + integer(3) + integer(0) * 3
    return data + integer(1) + integer(3) + b"".join(number(k / 2) for k in range(6))


def test_the_smallest_predictor() -> None:
    arrays = read_shape_predictor(tiny(), "tiny")
    assert arrays.initial_shape.tolist() == [[0.0, 0.5]]
    assert arrays.pairs[0, 0, :4].tolist() == [[0, 1], [1, 2], [2, 0], [0, 1]]
    assert arrays.thresholds[0, 0, [1, 14]].tolist() == [-0.25, -3.5]
    assert arrays.leaves[0, 0, 15].tolist() == [15.0, 14.875]
    assert arrays.anchors.tolist() == [[0, 0, 0]]
    assert arrays.deltas.tolist() == [[[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]]


@pytest.mark.parametrize("kind", ["numbers", "any bytes", "one byte"])
@pytest.mark.parametrize("lane", [17, 64, 2048])
def test_numbers_begin_where_a_slow_loop_finds_them(kind: str, lane: int) -> None:
    random = np.random.default_rng(lane)
    data = {
        "numbers": b"".join(integer(int(value)) for value in random.integers(-(2**30), 2**30, 3000)),
        "any bytes": random.integers(0, 256, 10_000).astype(np.uint8).tobytes(),
        "one byte": bytes([2]) * 9_999,
    }[kind]
    for length in (*range(len(data) - 20, len(data) + 1), lane - 1, lane, lane + 1, 2 * lane, 1, 0):
        begins, position = [], 0
        while position < length:
            begins.append(position)
            position += (data[position] & 15) + 1
        found = _starts(data[:length], lane)
        assert (None if found is None else found.tolist()) == (begins if position == length else None)


@pytest.mark.parametrize("end", [0, 1, 2, 10, 100, 300, -9, -1])
def test_cut_short(end: int) -> None:
    with pytest.raises(ModelDamagedError):
        read_shape_predictor(tiny()[:end], "cut")


@pytest.mark.parametrize(
    "data",
    [tiny() + b"\1\0", integer(2) + tiny()[2:], b"\x7f" * 300, b"PK\3\4 a zip" * 30, tiny(splits=7)],
    ids=["left over", "version", "control bytes", "zip", "another depth"],
)
def test_something_else(data: bytes) -> None:
    with pytest.raises(ModelDamagedError):
        read_shape_predictor(data, "else")


def test_the_encoder_is_no_predictor() -> None:
    folder = package_folder("face_recognition_models")
    assert folder is not None
    data = (Path(folder) / "models" / "mmod_human_face_detector.dat").read_bytes()
    with pytest.raises(ModelDamagedError):
        read_shape_predictor(data, "mmod")


def test_the_published_one_has_its_shape() -> None:
    arrays = load_shape_predictor("dlib5")
    assert arrays.leaves.shape == (15, 500, 16, 10)
    assert arrays.pairs.shape == (15, 500, 15, 2)
    assert np.isfinite(arrays.leaves).all()


def test_a_damaged_cache_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    cached = tmp_path / "models" / f"dlib5-{FILES['dlib5'][1][:16]}-v1.npz"
    cached.write_bytes(b"PK\3\4 cut")  # of a version that kept no check sums
    assert load_shape_predictor("dlib5").leaves.shape == (15, 500, 16, 10)


def test_another_scheme() -> None:
    with pytest.raises(SettingError, match="dlib7"):
        load_shape_predictor("dlib7")

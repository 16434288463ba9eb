"""Reader of dlib's shape predictors (5 and 68 points): from the published ``.dat`` file to plain arrays, once.

The file is one long row of variable-width integers (3 million in the 5-point file, 33 million in the 68-point one), so
they are found in many places at once and decoded together; the trees all have one shape, so the rest is slicing.

Source: the stream's format as in `dlib_stream`; the order of the fields from dlib's shape_predictor, checked against
both published files, which must end where the last field ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError, SettingError
from sameface.models.cache import cached
from sameface.models.registry import load_card, locate
from sameface.progress import Share

#: File name and sha256 of each published predictor, by its landmark scheme.
FILES: Final = {
    "dlib5": (
        "shape_predictor_5_face_landmarks.dat",
        "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    ),
    "dlib68": (
        "shape_predictor_68_face_landmarks.dat",
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
    ),
}
_CARDS: Final = {"dlib5": "dlib-5-points", "dlib68": "dlib-68-points"}
#: Raise when the cached arrays change their meaning: it is part of the cached file's name.
_VERSION: Final = 1
_DEPTH: Final = 4
_SPLITS: Final = 2**_DEPTH - 1
_LEAVES: Final = 2**_DEPTH

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ShapePredictorArrays:
    """The parameters of a cascade of regression forests.

    Attributes:
        initial_shape: ``(points, 2)`` float32, in units of the box.
        pairs: ``(cascades, trees, splits, 2)`` int16: the two pixels that each split compares.
        thresholds: ``(cascades, trees, splits)`` float32: left when the difference is greater.
        leaves: ``(cascades, trees, leaves, points · 2)`` float32: steps in the shape.
        anchors: ``(cascades, pixels)`` int16: the point that each pixel is measured from.
        deltas: ``(cascades, pixels, 2)`` float32: its offset from that point in the initial shape.
    """

    initial_shape: npt.NDArray[np.float32]
    pairs: npt.NDArray[np.int16]
    thresholds: npt.NDArray[np.float32]
    leaves: npt.NDArray[np.float32]
    anchors: npt.NDArray[np.int16]
    deltas: npt.NDArray[np.float32]


def load_shape_predictor(scheme: str) -> ShapePredictorArrays:
    """The arrays of a published predictor: read from the package's file once, then from the cache.

    Args:
        scheme: ``dlib5`` or ``dlib68``. The 68-point model's training photos (iBUG 300-W) exclude commercial use.

    Raises:
        SettingError: another scheme.
        ModelMissingError, ModelDamagedError: the package or its file is missing; the file was changed or cut short.
    """
    if scheme not in FILES:
        raise SettingError(
            expected=f"a predictor among {', '.join(FILES)}", got=repr(scheme), advice="choose one of those"
        )
    return _loaded(scheme, _cache_file(scheme))


def _cache_file(scheme: str) -> Path:
    name, digest = FILES[scheme]

    def convert(target: Path, tell: Share) -> None:
        (source,) = locate(load_card(_CARDS[scheme]))
        arrays = read_shape_predictor(source.read_bytes(), name)
        with target.open("wb") as file:
            np.savez(file, **{field: getattr(arrays, field) for field in ShapePredictorArrays.__slots__})

    return cached(f"{scheme}-{digest[:16]}-v{_VERSION}.npz", convert, what=scheme)


@lru_cache(maxsize=4)
def _loaded(scheme: str, path: Path) -> ShapePredictorArrays:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return ShapePredictorArrays(**{field: file[field] for field in ShapePredictorArrays.__slots__})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelDamagedError(
            expected=f"arrays of {scheme} in {path}", got=str(error), advice="delete that file; it is made again"
        ) from error


def read_shape_predictor(data: bytes, name: str) -> ShapePredictorArrays:
    """Read a predictor of any number of points.

    Args:
        data: the whole file.
        name: what to call it in errors.

    Raises:
        ModelDamagedError: cut short, or not a predictor with trees of depth 4.
    """
    tokens = _Tokens(_all_integers(data, name), name)
    tokens.expect(1, "a version")
    rows, columns = -tokens.one(), -tokens.one()
    if columns != 1 or not 2 <= rows <= 2000 or rows % 2:
        raise tokens.damaged(f"an initial shape of {rows} × {columns}")
    initial = tokens.floats(rows)
    cascades = tokens.count(100)
    trees = 0
    pairs, thresholds, leaves = [], [], []
    split_tokens, leaf_tokens = 1 + 4 * _SPLITS, 1 + _LEAVES * (2 + 2 * rows)
    for _ in range(cascades):
        here = tokens.count(10_000)
        trees = trees or here
        if here != trees:
            raise tokens.damaged("forests of different sizes")
        block = tokens.take(trees * (split_tokens + leaf_tokens)).reshape(trees, -1)
        splits = block[:, 1:split_tokens].reshape(trees, _SPLITS, 4)
        leaf_block = block[:, split_tokens + 1 :].reshape(trees, _LEAVES, 2 + 2 * rows)
        if (block[:, 0] != _SPLITS).any() or (block[:, split_tokens] != _LEAVES).any():
            raise tokens.damaged("a tree of another depth")
        if (leaf_block[..., 0] != -rows).any() or (leaf_block[..., 1] != -1).any():
            raise tokens.damaged("a leaf of another length")
        pairs.append(splits[..., :2])
        thresholds.append(_as_floats(splits[..., 2], splits[..., 3]))
        leaves.append(_as_floats(leaf_block[..., 2::2], leaf_block[..., 3::2]))
    anchors = [tokens.take(tokens.count(10_000)) for _ in range(tokens.expect(cascades, "as many anchors as cascades"))]
    deltas = []
    for _ in range(tokens.expect(cascades, "as many deltas as cascades")):
        deltas.append(tokens.floats(2 * tokens.count(10_000)).reshape(-1, 2))
    tokens.end()
    pixels = {len(a) for a in anchors} | {len(d) for d in deltas}
    compared, anchored = np.array(pairs), np.array(anchors) if len(pixels) == 1 else np.zeros((0, 0), np.int64)
    if (
        len(pixels) != 1
        or not compared.size
        or not 0 <= compared.min() <= compared.max() < pixels.pop()
        or not 0 <= anchored.min() <= anchored.max() < rows // 2
    ):
        raise tokens.damaged("indices outside their ranges")
    return ShapePredictorArrays(
        initial_shape=initial.reshape(-1, 2),
        pairs=compared.astype(np.int16),
        thresholds=np.array(thresholds),
        leaves=np.array(leaves),
        anchors=anchored.astype(np.int16),
        deltas=np.array(deltas),
    )


def _as_floats(mantissas: Integers, exponents: Integers) -> npt.NDArray[np.float32]:
    return np.ldexp(mantissas.astype(np.float64), np.clip(exponents, -2000, 2000).astype(np.int32)).astype(np.float32)


def _all_integers(data: bytes, name: str) -> Integers:
    """Every integer of the file: a control byte (low nibble: width, high bit: sign), then the magnitude."""
    where = _starts(data)
    if where is None:
        raise _damaged(name, "the end of the file in the middle of a number")
    control = np.frombuffer(data, dtype=np.uint8)[where]
    width = control & 0x0F
    if where.size == 0 or width.max() > 8 or (control & 0x70).any():
        raise _damaged(name, "bytes that are no numbers")
    eights = np.ndarray(
        len(data) + 1, dtype="<u8", buffer=data + bytes(8), strides=(1,)
    )  # the eight bytes from each on
    masks = np.array([(1 << 8 * bytes_) - 1 for bytes_ in range(9)], dtype=np.uint64)
    values: Integers = (eights[where + 1] & masks[width]).astype(np.int64)
    np.negative(values, out=values, where=control >= 0x80)
    return values


def _starts(data: bytes, lane: int = 2048) -> Integers | None:
    """Where each number begins; None where the last one is cut short.

    Each says only where the next one begins. So lanes of the file are walked side by side, each as if a number began with it. Where none
    did, its walk soon meets the true one, which comes from the lane before, and from there on both are the same.
    """
    steps = data.translate(bytes((byte & 0x0F) + 1 for byte in range(256)))
    widths, begins = np.frombuffer(steps, dtype=np.uint8), range(0, len(data), lane)
    ends = np.minimum(np.array(begins, dtype=np.int64) + lane, len(data))
    found = np.zeros(len(data), dtype=np.bool_)
    leaves, lanes = np.array(begins, dtype=np.int64), np.arange(len(begins))
    while lanes.size:
        at = leaves[lanes]
        found[at] = True
        leaves[lanes] = at = at + widths[at]
        lanes = lanes[at < ends[lanes]]
    position = 0
    for begin, end, leave in zip(begins, ends.tolist(), leaves.tolist(), strict=True):
        walked = []
        while position < end and not found[position]:
            walked.append(position)
            position += steps[position]
        found[begin : min(position, end)] = False
        found[walked] = True
        position = leave if position < end else position
    return np.flatnonzero(found) if position == len(data) else None


def _damaged(name: str, got: str) -> ModelDamagedError:
    return ModelDamagedError(
        expected=f"a dlib shape predictor in {name}", got=got, advice="install the package that brings the file again"
    )


class _Tokens:
    """A cursor over the integers."""

    def __init__(self, values: Integers, name: str) -> None:
        self._values, self._name, self._position = values, name, 0

    def damaged(self, got: str) -> ModelDamagedError:
        return _damaged(self._name, got)

    def take(self, count: int) -> Integers:
        end = self._position + count
        if end > self._values.size:
            raise self.damaged("the end of the file too early")
        taken = self._values[self._position : end]
        self._position = end
        return taken

    def one(self) -> int:
        return int(self.take(1)[0])

    def count(self, most: int) -> int:
        value = self.one()
        if not 0 < value <= most:
            raise self.damaged(f"a count of {value}")
        return value

    def expect(self, value: int, what: str) -> int:
        if self.one() != value:
            raise self.damaged(f"something else than {what} ({value})")
        return value

    def floats(self, count: int) -> npt.NDArray[np.float32]:
        block = self.take(2 * count)
        return _as_floats(block[::2], block[1::2])

    def end(self) -> None:
        if self._position != self._values.size:
            raise self.damaged("numbers left over")

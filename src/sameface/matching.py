"""Distance and the decision: the one place where a distance meets a threshold.

The rule is *same person iff distance < τ*: at equality the answer is no, and τ = 0 accepts nobody.

Over 300 lines because whoever asks how a distance becomes an answer should have one file to read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from typing import Final, TypeGuard, TypeVar

import numpy as np
import numpy.typing as npt

from sameface.errors import EmbeddingError, SettingError
from sameface.types import Embeddings, OperatingPoint, ProbabilityCalibration

Key = TypeVar("Key")


#: No two points on the unit sphere are further apart.
LONGEST_ON_UNIT_SPHERE: Final = 2.0
_PHOTOS: Final = "compare photos with `sameface.verify(a, b)`"


def is_same(distance: float, threshold: float) -> bool:
    """Decide 1:1: whether a distance is under a threshold.

    Args:
        distance: L2, as `distance` gives it.
        threshold: τ, 0 or more.

    Raises:
        SettingError: one of them is no such number: a path or a photo, say, which `sameface.verify` compares.

    >>> is_same(0.5, 0.6), is_same(0.6, 0.6), is_same(0.0, 0.0)
    (True, False, False)
    """
    apart = _number(distance, "a distance")
    if not apart >= 0:
        raise SettingError(expected="a distance of 0 or more", got=f"{apart:g}", advice=_PHOTOS)
    return apart < as_threshold(threshold)


def as_threshold(threshold: float, *, unit_length: bool = False) -> float:
    """A number as τ: the one check for every place that takes one.

    Args:
        threshold: L2.
        unit_length: whether the embeddings have length 1, so that no distance exceeds 2.

    Raises:
        SettingError: no number, NaN, infinite, negative, or longer than any distance can be. 0 is legal: it accepts nobody.

    >>> as_threshold(0), as_threshold(2, unit_length=True)
    (0.0, 2.0)
    """
    tau = _number(threshold, "a threshold")
    if not 0 <= tau < math.inf:
        raise SettingError(
            expected="a threshold of 0 or more",
            got=f"{tau:g}",
            advice="give an L2 distance; leave it out for the one that was measured",
        )
    if unit_length and tau > LONGEST_ON_UNIT_SPHERE:
        raise SettingError(
            expected="a threshold of 2 at most: embeddings of this encoder have length 1, and none lie further apart",
            got=f"{tau:g}, under which everybody is the same person",
            advice="give a smaller one, or leave it out for the one that was measured",
        )
    return tau


def _number(value: object, what: str) -> float:
    if not isinstance(value, (str, bytes, bytearray, bool, PathLike)) and np.ndim(value) == 0:  # type: ignore[arg-type]
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            pass
    raise SettingError(expected=f"{what}, one number", got=_shown(value), advice=_PHOTOS)


def _shown(value: object) -> str:
    """A value in an error: what it is, never pixels or an embedding."""
    text = repr(value) if isinstance(value, (str, PathLike)) else ""
    return text if 0 < len(text) <= 80 else f"a {type(value).__name__}"


def distance(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """L2 distance of two embeddings.

    Args:
        a, b: ``(d,)`` of the same length, finite.

    Returns:
        ``‖a − b‖₂``, at least 0, computed in float64.

    Raises:
        EmbeddingError: on other shapes, NaN or infinity, or photos in place of embeddings.

    >>> distance([0.0, 3.0], [4.0, 0.0])
    5.0
    """
    if _as_stored(a) and _as_stored(b) and a.shape == b.shape:
        apart = _distance(a, b)
        if apart < math.inf:  # all numbers were finite: looking at them first takes longer than the distance
            return apart
    first = as_embedding(a)
    return _distance(first, as_embedding(b, expect=len(first)))


def _as_stored(vector: npt.ArrayLike) -> TypeGuard[Embeddings]:
    """Whether it is an array as encoders and stores give them, with nothing to convert."""
    return type(vector) is np.ndarray and vector.dtype == np.float32 and vector.ndim == 1 and vector.size > 0


def _distance(a: Embeddings, b: Embeddings) -> float:
    """Of two of the same length; NaN or infinite where one of them is not finite."""
    with np.errstate(invalid="ignore"):
        difference = a.astype(np.float64)
        difference -= b
    return math.sqrt(difference.dot(difference))


def distances(probe: npt.ArrayLike, references: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """L2 distances from one embedding to each row of a matrix.

    Args:
        probe: ``(d,)``.
        references: ``(n, d)``.

    Returns:
        ``(n,)`` float32, in the order of the rows.

    Raises:
        EmbeddingError: no vector and matrix of the same length.
    """
    if not isinstance(references, np.ndarray) or references.ndim != 2:
        raise EmbeddingError(
            expected="references of shape (n, d)",
            got=f"shape {np.shape(references)}" if isinstance(references, np.ndarray) else _shown(references),
            advice=f"stack embeddings with numpy.stack; {_PHOTOS}",
        )
    vector = as_embedding(probe, expect=references.shape[1])
    apart: npt.NDArray[np.float32] = np.linalg.norm(references - vector, axis=1).astype(np.float32)
    return apart


def nearest(probe: npt.ArrayLike, database: Mapping[Key, npt.ArrayLike]) -> tuple[Key | None, float]:
    """The entry nearest to a probe, over everybody: the search before any threshold.

    Args:
        probe: ``(d,)`` embedding.
        database: an embedding by name.

    Returns:
        The name with the smallest distance and that distance; of equal distances the first in the mapping's order; ``(None, inf)``
        for an empty database. Whether that is a match is for a threshold τ(K) to say.

    Raises:
        EmbeddingError: photos in place of embeddings, or no mapping.

    >>> nearest([0.0, 0.0], {"Ada": [3.0, 4.0], "Grace": [0.0, 2.0]})
    ('Grace', 2.0)
    >>> nearest([0.0], {})
    (None, inf)
    """
    if not isinstance(database, Mapping):
        raise EmbeddingError(
            expected="an embedding by name, as a dictionary",
            got=_shown(database),
            advice="to search by photos, enroll people in a `sameface.Gallery` and ask `identify`; two are compared by `sameface.verify`",
        )
    best: Key | None = None
    smallest = math.inf
    for name, reference in database.items():
        candidate = distance(probe, reference)
        if candidate < smallest:
            best, smallest = name, candidate
    return best, smallest


def as_embedding(vector: npt.ArrayLike, expect: int | None = None) -> Embeddings:
    """Check and convert one embedding.

    Returns:
        ``(d,)`` float32.

    Raises:
        EmbeddingError: not one-dimensional, empty, not of the expected length, or not finite.
    """
    try:
        if isinstance(vector, (str, bytes)):  # NumPy would read "0.5" as a number
            raise TypeError
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and refused below
            array = np.asarray(vector, dtype=np.float32)
    except (TypeError, ValueError):
        raise EmbeddingError(expected="an embedding: numbers in a row", got=_shown(vector), advice=_PHOTOS) from None
    if array.ndim != 1 or array.size == 0 or (expect is not None and array.size != expect):
        raise EmbeddingError(
            expected=f"one embedding of shape ({expect if expect is not None else 'd'},)",
            got=f"an array of shape {array.shape}",
            advice=f"compare only embeddings of one encoder, one at a time; {_PHOTOS}",
        )
    if not np.isfinite(array).all():
        raise EmbeddingError(
            expected="finite numbers", got="NaN or infinity in an embedding", advice="encode the photo again"
        )
    return array


def false_match_rate_for(fpir: float, comparisons: int) -> float:
    """The FMR one comparison may have so that a search of many keeps its FPIR.

    Solves ``FPIR = 1 − (1 − FMR)^K`` for FMR.

    Args:
        fpir: wanted rate of searches of unknown people that name somebody, in (0, 1).
        comparisons: K, templates searched, at least 1.

    >>> round(false_match_rate_for(0.01, 1), 6), round(false_match_rate_for(0.01, 100), 7)
    (0.01, 0.0001005)
    """
    if not 0 < fpir < 1 or comparisons < 1:
        raise SettingError(
            expected="an FPIR between 0 and 1 and at least one comparison",
            got=f"FPIR {fpir}, K = {comparisons}",
            advice="give the share of unknown people that may be named wrongly, for instance 0.01",
        )
    return -math.expm1(math.log1p(-fpir) / comparisons)


def identification_threshold(point: OperatingPoint, comparisons: int, fpir: float) -> float | None:
    """τ(K): the threshold for a search of K templates at a stated FPIR.

    Read from the measured false-match tail at ``FMR = 1 − (1 − FPIR)^(1/K)``, never above the 1:1 threshold. The independence that the
    formula assumes makes it a guide; `sameface evaluate` measures FPIR where the data allow.

    Args:
        point: the operating point of the encoder in use.
        comparisons: K, at least 1.
        fpir: in (0, 1).

    Returns:
        The threshold; None where the data behind the operating point cannot support a claim for so many people.
    """
    wanted = false_match_rate_for(fpir, comparisons)
    if wanted < point.smallest_fmr or not point.tail:
        return None
    supported = [item.threshold for item in point.tail if item.fmr <= wanted]
    return min(point.threshold, max(supported)) if supported else None


def most_comparisons(point: OperatingPoint, fpir: float) -> int:
    """K up to which an operating point supports a claim at an FPIR: how many templates a gallery may have.

    Args:
        point: the operating point.
        fpir: in (0, 1).

    >>> from sameface.types import EmbeddingSpace, TailPoint
    >>> point = OperatingPoint(0.4, EmbeddingSpace("e", "d", "a"), "FMR 0.001", tail=(TailPoint(0.3, 1e-5),), smallest_fmr=1e-5)
    >>> most_comparisons(point, 0.01)
    1005
    """
    false_match_rate_for(fpir, 1)  # one that cannot be meant is said now
    if not point.tail or not 0 < point.smallest_fmr < 1:
        return 0
    return int(math.log1p(-fpir) / math.log1p(-point.smallest_fmr))


def probability_same(
    calibration: ProbabilityCalibration | None, distance: float, prior: float | None = None
) -> float | None:
    """The calibrated probability that a pair at this distance shows one person.

    Args:
        calibration: fitted on labelled pairs; None gives None, since a rescaled distance is no probability.
        distance: L2.
        prior: share of mated pairs where it is used, in (0, 1); None keeps the calibration's own. Another prior moves the log odds by the
            difference of the priors' log odds (Bayes' rule).

    >>> probability_same(ProbabilityCalibration("logistic", slope=-10.0, intercept=6.0), 0.6)
    0.5
    >>> probability_same(None, 0.6) is None
    True
    """
    if calibration is None:
        return None
    if calibration.kind == "logistic":
        log_odds = calibration.intercept + calibration.slope * distance
    else:
        at, odds = zip(*calibration.knots, strict=True)
        log_odds = float(np.interp(distance, at, odds))
    if prior is not None:
        if not 0 < prior < 1:
            raise SettingError(
                expected="a prior between 0 and 1", got=str(prior), advice="give the share of pairs that are mated"
            )
        log_odds += math.log(prior / (1 - prior)) - math.log(calibration.prior / (1 - calibration.prior))
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def unit_length(vectors: npt.NDArray[np.float32]) -> Embeddings:
    """Scale each row to length 1.

    Args:
        vectors: ``(m, d)``.

    Raises:
        EmbeddingError: a row of length zero has no direction.

    >>> unit_length(np.array([[3.0, 4.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise EmbeddingError(expected="vectors with a direction", got="a zero vector", advice="encode another photo")
    scaled: Embeddings = (vectors / lengths).astype(np.float32)
    return scaled

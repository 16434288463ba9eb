"""Whether a threshold speaks about a face at all: the face's features, its score, and what follows.

τ was measured on upright, sharp, whole faces. Of blurred, covered or one-bit faces far more strangers come under it, since what damages a face makes
faces alike. So every face gets a score: how much it looks like one of those. What the score is made of and where its limits lie is measured
(`sameface.evaluation.domain`) and travels with the operating point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from sameface.errors import CalibrationError, NotComparableError
from sameface.faces.measures import MEASURES
from sameface.faces.quality import turned_aside
from sameface.faces.shape import SHAPES, shape_measures
from sameface.matching import probability_same
from sameface.types import Damage, Detection, Domain, OperatingPoint

Floats = npt.NDArray[np.float64]
#: ``usual``: τ holds. ``unknown``: whether it holds was not measured. ``poor``: answered under the stricter τ of such faces. ``outside``: not
#: comparable.
Standing = Literal["usual", "unknown", "poor", "outside"]
#: From the best to the worst.
STANDINGS: Final[tuple[Standing, ...]] = ("usual", "unknown", "poor", "outside")
#: Features beside those of the crop and the embedding itself.
_OTHERS: Final = 5
#: Pixels of a face from which on more of them tell nothing: the crop has no more.
_WHOLE: Final = 80.0
#: A rate that a reader is told at least: a smaller one is near that of any photos, and explains nothing.
_LEAST_TOLD: Final = 0.002


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of a face beside who it is.

    Attributes:
        length: of its embedding before it was scaled.
        crop: ``(26,)`` float32, `sameface.faces.measures`.
        confidence: the detector's.
        side: longer side of its box in the photo's pixels.
        turned: 0 from the front to 1 in profile, None where the detector gives no such points.
        shape: ``(21,)`` float64, `sameface.faces.shape`; None likewise.
    """

    length: float
    crop: npt.NDArray[np.float32]
    confidence: float
    side: float
    turned: float | None
    shape: Floats | None = None


def evidence_of(detection: Detection, length: float, measures: npt.NDArray[np.float32]) -> Evidence:
    """What is known of a face that was found, cut out and encoded."""
    box = detection.box
    turned = turned_aside(detection.landmarks) if detection.landmarks is not None else None
    side = max(box.width, box.height)
    return Evidence(length, measures, detection.confidence, side, turned, shape_measures(detection))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where a face stands.

    Attributes:
        standing: ``usual``, ``unknown``, ``poor`` or ``outside``.
        reason: in words, "" for a usual face.
        score: log odds; None where nothing was measured.
    """

    standing: Standing
    reason: str = ""
    score: float | None = None


USUAL: Final = Judgement("usual")
#: An operating point without a domain: every face is answered.
UNMEASURED: Final = Judgement("unknown", "that was not measured")
#: An embedding that came without its face.
UNSEEN: Final = Judgement("unknown", "only the embedding came, not the face")


def features(embedding: npt.ArrayLike, evidence: Evidence) -> Floats:
    """A face as the score sees it.

    Args:
        embedding: ``(d,)``, as the encoder gives it.
        evidence: of that face.

    Returns:
        ``(d + 52,)`` float64: the embedding, the crop's measures, the length and one over it, confidence, log₂ of the side, turned, the shape.
        What is not known is NaN, and counts as the mean.
    """
    turned = np.nan if evidence.turned is None else evidence.turned
    side = np.log2(min(evidence.side, _WHOLE)) if evidence.side > 0 else np.nan
    others = (evidence.length, 1 / max(evidence.length, 1e-6), evidence.confidence, side, turned)
    shape = np.full(SHAPES, np.nan) if evidence.shape is None else evidence.shape
    return np.concatenate([np.asarray(embedding, np.float64), evidence.crop.astype(np.float64), others, shape])


def feature_count(dimension: int) -> int:
    """Features of a face whose embedding has that many numbers."""
    return dimension + len(MEASURES) + _OTHERS + SHAPES


def standardised(domain: Domain, rows: Floats) -> Floats:
    """``(n, f)`` features with mean 0 and deviation 1 on the photos that the domain was learned from; 0 where one is not known.

    Raises:
        CalibrationError: a domain of another encoder.
    """
    if rows.shape[1] != len(domain.weights):
        raise CalibrationError(
            expected=f"a domain over {rows.shape[1]} features",
            got=f"one over {len(domain.weights)}",
            advice="calibrate again with the encoder in use: `sameface calibrate DATA`",
        )
    scaled: Floats = np.nan_to_num((rows - np.asarray(domain.mean)) / np.asarray(domain.scale), nan=0.0)
    return scaled


def scores_of(domain: Domain, rows: Floats) -> Floats:
    """``(n,)`` float64: the score of each face, higher for those that τ says less about."""
    scores: Floats = standardised(domain, rows) @ np.asarray(domain.weights) + domain.bias
    return scores


def judge(point: OperatingPoint, embedding: npt.ArrayLike, evidence: Evidence | None) -> Judgement:
    """Where a face stands under an operating point; ``unknown`` without a domain, or without the face itself.

    Args:
        point: with or without a domain.
        embedding: ``(d,)``.
        evidence: None for an embedding that came without its face.
    """
    if point.domain is None:
        return UNMEASURED
    if evidence is None:
        return UNSEEN
    domain = point.domain
    row = standardised(domain, features(embedding, evidence)[np.newaxis])[0]
    score = float(row @ np.asarray(domain.weights) + domain.bias)
    if score <= domain.usual:
        return Judgement("usual", "", score)
    return Judgement("poor" if score <= domain.limit else "outside", _reason(domain, row), score)


def worst(*judgements: Judgement) -> Judgement:
    """The one that decides about a pair."""
    return max(judgements, key=lambda judgement: STANDINGS.index(judgement.standing))


def require_comparable(judgement: Judgement, *, force: bool = False, photo: str = "") -> None:
    """Raise NotComparableError for a face outside, unless the caller insists."""
    if judgement.standing == "outside" and not force:
        raise NotComparableError(
            expected="a face like those that the threshold was measured on" + (f" in {photo}" if photo else ""),
            got=f"one that is not comparable ({judgement.reason})",
            advice="take a sharper, upright, uncovered photo, or force an answer and take it as a guess",
        )


def threshold_for(point: OperatingPoint, standing: Standing) -> float:
    """τ for a pair whose worse face stands so."""
    if standing in ("usual", "unknown") or point.domain is None:
        return point.threshold
    return min(point.threshold, point.domain.threshold)


def _reason(domain: Domain, row: Floats) -> str:
    """What a face looks like, and what that does to strangers."""
    known = [kind for kind in domain.kinds if kind.centre]
    if not known:
        return "unlike the faces that the threshold was measured on"
    nearest = min(known, key=lambda kind: float(np.linalg.norm(row - np.asarray(kind.centre))))
    return f"it looks {nearest.name}" + _told(nearest)


def _told(kind: Damage) -> str:
    rate = kind.fmr
    if rate is None or rate < _LEAST_TOLD:
        return ""
    share = f"{rate * 100:.0f} of 100" if rate >= 0.01 else f"{rate * 1000:.0f} of 1,000"
    return f": of such photos {share} pairs of strangers pass"


def probability_for(point: OperatingPoint, distance: float, standing: Standing) -> float | None:
    """The calibrated probability, None for faces that are worse than those it was calibrated on."""
    return probability_same(point.probability, distance) if standing in ("usual", "unknown") else None

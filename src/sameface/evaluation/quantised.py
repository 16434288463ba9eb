"""What 8 bits cost: the same pairs decided by an encoder and by its quantised copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.datasets.photo import Photo, source_of
from sameface.encoders import Encoder
from sameface.errors import FaceError, ImageError, NotEnoughDataError
from sameface.evaluation.scores import Scores
from sameface.faces import FaceFinder
from sameface.metrics import accuracy_by_fold, mean_and_standard_error, person_disjoint_folds
from sameface.metrics.paired import PairedDecisions, paired_decisions
from sameface.progress import Advance, no_advance
from sameface.types import CropsRGB, ImageRGB


@dataclass(frozen=True, slots=True)
class Drift:
    """How far embeddings moved.

    Attributes:
        crops: how many were encoded by both.
        mean, p95, largest: L2 distance between the two embeddings of a crop.
    """

    crops: int
    mean: float
    p95: float
    largest: float


@dataclass(frozen=True, slots=True)
class BeforeAndAfter:
    """Accuracy of two encoders on the same pairs, each at thresholds chosen on the other folds.

    Attributes:
        before, after: mean accuracy over folds. before_error, after_error: their standard errors.
        paired: pairs that only one of the two decides rightly; first is before.
    """

    before: float
    before_error: float
    after: float
    after_error: float
    paired: PairedDecisions


def collect_crops(
    finder: FaceFinder, photos: Iterable[Photo], wanted: int, *, advance: Advance = no_advance
) -> CropsRGB:
    """Aligned crops of the faces nearest the middle of photos, until there are enough; photos that give none are passed over.

    Returns:
        ``(m, size, size, 3)`` uint8 RGB, m at most `wanted`.
    """
    found: list[ImageRGB] = []
    for photo in photos:
        if len(found) == wanted:
            break
        try:
            found.append(finder.face(source_of(photo), "centre").crop_rgb)
        except (ImageError, FaceError):
            continue
        advance(1)
    return np.stack(found) if found else finder.crops(np.zeros((1, 1, 3), dtype=np.uint8), [])


def drift(first: Encoder, second: Encoder, crops_rgb: CropsRGB) -> Drift:
    """Encode the same crops with both.

    Raises:
        NotEnoughDataError: no crops.
    """
    if not len(crops_rgb):
        raise NotEnoughDataError(expected="crops", got="none", advice="give more photos")
    moved = np.linalg.norm(first.encode(crops_rgb) - second.encode(crops_rgb), axis=1)
    return Drift(len(moved), float(moved.mean()), float(np.quantile(moved, 0.95)), float(moved.max()))


def before_and_after(before: Scores, after: Scores, folds: int = 10) -> BeforeAndAfter:
    """Compare on the same pairs; a pair with a face that was not found is an error of both."""
    numbers = person_disjoint_folds(before.person_a, before.person_b, folds)
    first, second = _by_fold(before, numbers), _by_fold(after, numbers)
    return BeforeAndAfter(*first[1], *second[1], paired=paired_decisions(first[0], second[0]))


def _by_fold(scores: Scores, folds: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.bool_], tuple[float, float]]:
    """Which pairs are decided rightly, and mean accuracy with its standard error."""
    results = accuracy_by_fold(scores.distances, scores.same, folds, people=(scores.person_a, scores.person_b))
    right = np.zeros(len(scores.same), dtype=bool)
    for number, result in zip(np.unique(folds), results, strict=True):
        chosen = folds == number
        accepted = scores.distances[chosen] < result.threshold
        right[chosen] = (accepted == scores.same[chosen]) & np.isfinite(scores.distances[chosen])
    return right, mean_and_standard_error([result.accuracy for result in results])

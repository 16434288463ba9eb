"""A threshold for a stated false match rate, chosen on labelled photos: the one that verification then uses.

What may be claimed follows the rule of 30 (Doddington et al. 2000): a rate is stated only where 30 events or more lie behind it, which puts it within
±30 % with 90 % confidence. For the target that means 30 expected false matches. For the low end of the curve, from which τ(K) is read, the 30
events must be of 30 different *pairs of people*: one pair of look-alikes with many photos, or one wrong label, is one event.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.scores import Scores
from sameface.metrics import RULE_OF_30, pairs_needed, threshold_at_fmr
from sameface.types import DistanceSpread, EmbeddingSpace, Interval, OperatingPoint, ProbabilityCalibration, TailPoint

#: Thresholds are rounded down to this step: an FMR can only fall by it, and a distance computed elsewhere in float32 decides alike.
STEP: Final = 1e-4
#: The measured tail reaches up to this FMR, in steps of a tenth of a decade.
TAIL_TOP: Final = 1e-2
#: A larger FMR is never advised: the threshold that came with the encoder lets far fewer strangers pass.
LARGEST_ADVISED: Final = 0.01
#: Quantiles kept of both heaps of distances: every 2 %, finer at the ends.
LEVELS: Final = (0.0, 0.001, 0.003, 0.01, *(share / 100 for share in range(2, 99, 2)), 0.99, 0.997, 0.999, 1.0)


def choose_operating_point(
    scores: Scores,
    space: EmbeddingSpace,
    *,
    fmr: float = 1e-3,
    data: str = "",
    protocol: str = "",
    probability: ProbabilityCalibration | None = None,
    draws: PeopleDraws | None = None,
) -> OperatingPoint:
    """The highest τ whose FMR on these pairs does not exceed the target, with what was measured there.

    Args:
        scores: pairs with distances.
        space: what their embeddings belong to.
        fmr: the target, in (0, 1).
        data, protocol: for the record.
        probability: a calibration to keep with it.
        draws: of people, for intervals; None makes them.

    Raises:
        NotEnoughDataError: fewer pairs than the target needs; the message says how many.
    """
    non_mated, mated = scores.non_mated, scores.mated
    needed = pairs_needed(fmr)
    if len(non_mated) < needed:
        raise NotEnoughDataError(
            expected=f"{needed:,} non-mated pairs to claim FMR {fmr:g} ({RULE_OF_30} false matches expected)",
            got=f"{len(non_mated):,} of {scores.people} people",
            advice=f"give photos of {photos_needed(needed):,} different people or more{_instead(non_mated, scores.people)}",
        )
    if not len(mated):
        raise NotEnoughDataError(
            expected="mated pairs to measure FNMR", got="none", advice="give two photos or more of several people"
        )
    threshold = rounded_down(threshold_at_fmr(non_mated, fmr))
    draws = draws or PeopleDraws(scores)
    under, finite = scores.distances < threshold, np.isfinite(scores.distances)
    false_match = draws.rate(under, ~scores.same & finite)
    false_non_match = draws.rate(~under, scores.same)
    smallest = smallest_supported_fmr(scores)
    return OperatingPoint(
        threshold=threshold,
        space=space,
        target=f"FMR {fmr:g}",
        target_fmr=fmr,
        fmr=false_match.value,
        fmr_interval=false_match.interval,
        fnmr=false_non_match.value,
        fnmr_interval=false_non_match.interval,
        mated_pairs=false_non_match.trials,
        non_mated_pairs=false_match.trials,
        people=scores.people,
        data=data,
        protocol=protocol,
        tail=measured_tail(non_mated, smallest, max(fmr, TAIL_TOP)),
        smallest_fmr=smallest,
        probability=probability,
        distances=spread_of(mated, non_mated),
        created=datetime.now(UTC).date().isoformat(),
    )


def confirm(point: OperatingPoint, scores: Scores, *, data: str, protocol: str) -> Mapping[str, Any]:
    """What the same τ gives on other people's photos, scored once: the fields that `OperatingPoint.confirmed` holds."""
    draws = PeopleDraws(scores)
    under, finite = scores.distances < point.threshold, np.isfinite(scores.distances)
    false_match, false_non_match = draws.rate(under, ~scores.same & finite), draws.rate(~under, scores.same)
    return {
        "data": data,
        "protocol": protocol,
        "fmr": false_match.value,
        "fmr_interval": _fields(false_match.interval),
        "fnmr": false_non_match.value,
        "fnmr_interval": _fields(false_non_match.interval),
        "mated_pairs": false_non_match.trials,
        "non_mated_pairs": false_match.trials,
        "people": scores.people,
    }


def smallest_supported_fmr(scores: Scores) -> float:
    """The FMR at which false matches of 30 different pairs of people lie behind the rate; 1 where there are fewer.

    The non-mated pairs are taken from the nearest up until 30 different pairs of people were seen.
    """
    non_mated = np.flatnonzero(~scores.same & np.isfinite(scores.distances))
    # Enough of the nearest to hold 30 pairs of people, unless people have very many photos.
    for share in (0.001, 0.01, 0.1, 1.0):
        count = min(len(non_mated), max(2000, math.ceil(share * len(non_mated))))
        near = non_mated[np.argpartition(scores.distances[non_mated], count - 1)[:count]]
        near = near[np.argsort(scores.distances[near], kind="stable")]
        a, b = scores.person_a[near], scores.person_b[near]
        pairs = np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b)
        _, first = np.unique(pairs, return_index=True)
        if len(first) >= RULE_OF_30:
            return float((np.sort(first)[RULE_OF_30 - 1] + 1) / len(non_mated))
    return 1.0


def measured_tail(non_mated: npt.NDArray[np.floating], smallest: float, largest: float) -> tuple[TailPoint, ...]:
    """The low end of the false-match curve, ten points a decade from the smallest supported FMR; rising in both fields.

    >>> distances = np.linspace(0.4, 1.4, 10_001)
    >>> [(p.threshold, round(p.fmr, 4)) for p in measured_tail(distances, 0.01, 0.1)][::5]
    [(0.41, 0.01), (0.4316, 0.0316), (0.5, 0.1)]
    """
    if smallest > largest:
        return ()
    steps = math.ceil(round(10 * math.log10(largest / smallest), 6)) + 1
    ordered = np.sort(non_mated)
    points: dict[float, float] = {}
    for target in np.geomspace(smallest, largest, steps):
        allowed = min(len(ordered) - 1, math.floor(target * len(ordered) + 1e-9))
        threshold = rounded_down(float(ordered[allowed]))
        rate = float(np.searchsorted(ordered, threshold, side="left") / len(ordered))
        if rate > 0 and rate not in points.values():
            points[threshold] = rate
    return tuple(TailPoint(threshold, rate) for threshold, rate in sorted(points.items()))


def spread_of(mated: npt.NDArray[np.floating], non_mated: npt.NDArray[np.floating]) -> DistanceSpread | None:
    """Quantiles of the finite distances of both kinds of pairs; None where one kind has none.

    >>> spread_of(np.array([0.0, 1.0]), np.array([1.0, 3.0])).non_mated[28]
    2.0
    """
    finite = [values[np.isfinite(values)] for values in (mated, non_mated)]
    if not all(len(values) for values in finite):
        return None
    of_mated, of_non_mated = (
        tuple(round(float(value), 4) for value in np.quantile(values, LEVELS)) for values in finite
    )
    return DistanceSpread(LEVELS, of_mated, of_non_mated)


def rounded_down(threshold: float) -> float:
    """τ rounded down to a step of 0.0001.

    >>> rounded_down(0.59349), rounded_down(0.5934), rounded_down(0.00009)
    (0.5934, 0.5934, 0.0)
    """
    return round(math.floor(threshold / STEP + 1e-6) * STEP, 4)


def photos_needed(pairs: int) -> int:
    """Photos of as many people whose pairs are that many: the smallest n with n(n − 1)/2 ≥ pairs.

    >>> photos_needed(30_000)
    246
    """
    root = math.isqrt(8 * pairs) + 1  # of 8 n + 1, rounded up; in whole numbers, however large
    return (root + 2) // 2


def _instead(non_mated: npt.NDArray[np.floating], people: int) -> str:
    """What to do without more photos: a rate that these show, where it is one that a threshold is of use at."""
    rate = _rounded_up(RULE_OF_30 / len(non_mated)) if len(non_mated) else 1.0
    if rate <= LARGEST_ADVISED and people * (people - 1) // 2 >= RULE_OF_30:
        return f", or ask for FMR {rate:g}"
    return "; with so few, keep the threshold that came with the encoder"


def _rounded_up(rate: float) -> float:
    """A rate at one digit that is not below it, so that asking for it is granted.

    >>> _rounded_up(0.3125), _rounded_up(0.0008)
    (0.4, 0.0008)
    """
    step = 10.0 ** math.floor(math.log10(rate))
    return float(f"{math.ceil(rate / step - 1e-9) * step:.1g}")


def _fields(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {"low": interval.low, "high": interval.high, "level": interval.level, "method": interval.method}

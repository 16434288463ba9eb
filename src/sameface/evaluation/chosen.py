"""What a calibration chose, in words: what to expect of the threshold, and what it cannot do."""

from __future__ import annotations

import math
from typing import Final

from sameface.evaluation.calibration import photos_needed
from sameface.evaluation.shipped import thousandths
from sameface.matching import most_comparisons
from sameface.metrics import RULE_OF_30
from sameface.types import Interval, OperatingPoint

#: A gallery of so many photos is the example where a threshold can search none.
_SMALL_GALLERY: Final = 10


def chosen_words(point: OperatingPoint, fpir: float, no_domain: str = "") -> tuple[str, ...]:
    """A sentence on both errors, one where the people are too few, one on poor photos, one on searching.

    Args:
        fpir: the share of unknown people that `identify` may name.
        no_domain: why it was not learned which photos are too poor for τ; "" where it was, or was not wanted.
    """
    said = []
    if point.fmr is not None and point.fnmr is not None:
        said.append(
            f"Of 1,000 pairs of strangers {thousandths(point.fmr)} would pass{_between(point.fmr_interval)}; "
            f"of 1,000 pairs of one person {thousandths(point.fnmr)} would be refused{_between(point.fnmr_interval)}."
        )
    if too_few(point.people):
        said.append(f"{point.people} people are too few to measure a threshold: use it to try things out, no more.")
    if point.domain is not None:
        said.append(
            f"{point.domain.refused:.1%} of ordinary photos are refused as not comparable; "
            f"poor ones are held to the stricter τ {point.domain.threshold:.4f}."
        )
    elif no_domain:
        said.append(f"Which photos are too poor for τ was not learned: {no_domain}.")
    return (*said, _searching(most_comparisons(point, fpir), fpir))


def too_few(people: int) -> bool:
    """Whether so few people make fewer than 30 different pairs: a rate then hangs on who happens to look alike.

    >>> too_few(8), too_few(9)
    (True, False)
    """
    return people * (people - 1) // 2 < RULE_OF_30


def people_to_search(photos: int, fpir: float) -> int:
    """Some so many people, one photo each, support a search among `photos` at an FPIR: 30 false matches at FPIR / K.

    >>> people_to_search(10, 0.01), people_to_search(100, 0.01)
    (246, 776)
    """
    return photos_needed(math.ceil(round(RULE_OF_30 * photos / fpir, 6)))


def _searching(most: int, fpir: float) -> str:
    if not most:
        return (
            f"`identify` names nobody with it: a gallery of {_SMALL_GALLERY} photos takes photos of some "
            f"{people_to_search(_SMALL_GALLERY, fpir):,} people here."
        )
    larger = 10 * most
    return (
        f"`identify` names people with it in galleries of up to {most:,} photo{'s' * (most > 1)}; for {larger:,} it takes photos of some "
        f"{people_to_search(larger, fpir):,} people here."
    )


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f" ({thousandths(interval.low)} to {thousandths(interval.high)} with 95 % confidence)"

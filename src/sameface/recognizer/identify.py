"""The 1:K decision: ranked candidates in, a name or nobody out."""

from __future__ import annotations

from collections.abc import Sequence

from sameface.matching import identification_threshold, is_same
from sameface.recognizer.domain import USUAL, Judgement, threshold_for
from sameface.recognizer.results import Identification
from sameface.recognizer.thresholds import GIVEN
from sameface.recognizer.words import plural
from sameface.types import Box, Candidate, OperatingPoint


def threshold_for_search(point: OperatingPoint, comparisons: int, fpir: float) -> float | None:
    """τ(K) for a search of K templates; a bare threshold of the caller's is taken as meant for the search.

    Returns:
        None where the data behind the operating point support no claim for so many comparisons.
    """
    if point.target == GIVEN:
        return point.threshold
    return identification_threshold(point, max(comparisons, 1), fpir)


def decide(
    box: Box,
    candidates: Sequence[Candidate],
    comparisons: int,
    point: OperatingPoint,
    fpir: float,
    keep: int,
    judgement: Judgement = USUAL,
    *,
    force: bool = False,
) -> Identification:
    """Turn ranked candidates into an answer.

    Args:
        box: the face asked about.
        candidates: nearest people, nearest first; the first two count.
        comparisons: K, templates searched.
        point: where τ comes from.
        fpir: share of searches of unknown people that may name somebody.
        keep: candidates to hand on.
        judgement: whether τ speaks about this face.
        force: name somebody for a face outside, too.
    """
    threshold = threshold_for_search(point, comparisons, fpir)
    if threshold is not None:
        # τ(K) grows as much stricter for a poor face as τ does.
        threshold = max(0.0, threshold - (point.threshold - threshold_for(point, judgement.standing)))
    refused = judgement.standing == "outside" and not force
    best = candidates[0] if candidates else None
    margin = candidates[1].distance - candidates[0].distance if len(candidates) > 1 else None
    named = not refused and best is not None and threshold is not None and is_same(best.distance, threshold)
    return Identification(
        name=best.name if best is not None and named else None,
        person_id=best.person_id if best is not None and named else None,
        distance=best.distance if best is not None else None,
        threshold=threshold,
        candidates=tuple(candidates[:keep]),
        margin=margin,
        comparisons=comparisons,
        box=box,
        why=f"not comparable: {judgement.reason}" if refused else _why(best, threshold, comparisons, fpir, point),
        standing=judgement.standing,
        standing_reason=judgement.reason,
    )


def _why(best: Candidate | None, threshold: float | None, comparisons: int, fpir: float, point: OperatingPoint) -> str:
    if best is None:
        return "nobody is enrolled"
    if threshold is None:
        return (
            f"the data behind τ support no claim at FPIR {fpir:g} among {plural(comparisons, 'template')}: "
            "candidates only, for a person to judge"
        )
    side = "under" if is_same(best.distance, threshold) else "not under"
    origin = (
        "given by the caller" if point.target == GIVEN else f"at FPIR {fpir:g} among {plural(comparisons, 'template')}"
    )
    return f"distance {best.distance:.3f} is {side} τ(K) = {threshold:.3f} {origin}"

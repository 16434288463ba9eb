"""A model in words: its card, where it is, and the thresholds that were measured with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from sameface.metrics.percent import percent
from sameface.models.card import ModelCard
from sameface.models.collection import presence, source_of
from sameface.models.operating_points import shipped_operating_points
from sameface.models.registry import network_card, place_of
from sameface.types import OperatingPoint


def summary(card: ModelCard) -> dict[str, Any]:
    """A card with where its files are and the thresholds that come with it, as --json prints it."""
    owner = network_card(card)
    here = presence(card)
    paths = [str(place_of(owner, file)) for file in owner.files] if here != "missing" else []
    return {
        **dataclasses.asdict(card),
        "bytes": owner.bytes,
        "alignment": card.alignment_id if card.kind == "encoder" else "",
        "here": here,
        "from": source_of(card),
        "paths": paths,
        "operating_points": [
            {
                "detector": point.space.detector,
                "threshold": point.threshold,
                "target": point.target,
                "data": point.data,
                "fmr": point.fmr,
                "fnmr": point.fnmr,
            }
            for point in (shipped_operating_points(card.id) if card.kind == "encoder" else ())
        ],
    }


def thresholds(card: ModelCard) -> Iterator[str]:
    """What verification decides by, for each detector measured, and beside it the most accurate τ, which is another number."""
    points = shipped_operating_points(card.id)
    for point in points:
        yield (
            f"τ on {point.space.detector}: {point.threshold:.4f} for {point.target}, from {point.non_mated_pairs:,} non-mated pairs of "
            f"{point.people:,} people ({point.data}){_confirmation(point)}"
        )
    if not points:
        published = card.published_threshold
        yield "τ: none measured; run `sameface calibrate`" + (f"; published: {published:g}" if published else "")
    for item in card.measured:
        if item.threshold is not None:
            yield f"most accurate τ on {item.detector}: {item.threshold:.4f} ({item.data}: {item.result}); verification does not use it"


def _confirmation(point: OperatingPoint) -> str:
    seen = point.confirmed
    if not seen:
        return ""
    return (
        f"; FMR {percent(seen['fmr'], digits=3)} %, FNMR {percent(seen['fnmr'], digits=1)} % on others ({seen['data']})"
    )

"""Which operating point decides: the caller's, or the one that was measured for this encoder, detector and alignment."""

from __future__ import annotations

import math

from sameface.errors import CalibrationError, NoThresholdError, SettingError
from sameface.models.card import ModelCard
from sameface.models.operating_points import shipped_operating_point
from sameface.types import EmbeddingSpace, OperatingPoint

GIVEN = "given by the caller"


def given_threshold(threshold: float, space: EmbeddingSpace) -> OperatingPoint:
    """An operating point for a bare number: it decides 1:1, and supports no claim for 1:K beyond itself.

    Raises:
        SettingError: negative or not finite. Zero is legal: it accepts nobody.
    """
    if not math.isfinite(threshold) or threshold < 0:
        raise SettingError(
            expected="a threshold of 0 or more", got=str(threshold), advice="give an L2 distance, for instance 0.6"
        )
    return OperatingPoint(threshold=threshold, space=space, target=GIVEN)


def resolve(point: OperatingPoint | float | None, card: ModelCard, space: EmbeddingSpace) -> OperatingPoint:
    """The operating point for a space.

    Args:
        point: the caller's own point or bare τ; None takes what was measured for this space, then what the network's authors published.
        card: of the encoder.
        space: where the embeddings live.

    Raises:
        CalibrationError: the point was measured in another space.
        NoThresholdError: nothing was given, measured or published.
    """
    if isinstance(point, OperatingPoint):
        if point.space != space:
            raise CalibrationError(
                expected=f"an operating point of {space}",
                got=f"one of {point.space}",
                advice="calibrate with the encoder and detector in use: `sameface calibrate DATA`",
            )
        return point
    if point is not None:
        return given_threshold(point, space)
    shipped = shipped_operating_point(space)
    if shipped is not None:
        return shipped
    if card.published_threshold is not None:
        return OperatingPoint(
            threshold=card.published_threshold,
            space=space,
            target="published by the network's authors, not measured here",
        )
    raise NoThresholdError(
        expected=f"a threshold measured for {space}",
        got="none",
        advice="run `sameface calibrate` on photos of your own, or give a threshold yourself",
    )

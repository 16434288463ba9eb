"""Which operating point decides: the caller's, or the one that was measured for this encoder, detector and alignment."""

from __future__ import annotations

from os import PathLike, fspath
from typing import cast

from sameface.errors import CalibrationError, NoThresholdError, SettingError
from sameface.matching import as_threshold
from sameface.models.card import ModelCard
from sameface.models.operating_points import load_operating_point, shipped_operating_point
from sameface.types import EmbeddingSpace, OperatingPoint

GIVEN = "given by the caller"


def given_threshold(threshold: float, space: EmbeddingSpace, *, unit_length: bool = False) -> OperatingPoint:
    """An operating point for a bare number: it decides 1:1, and supports no claim for 1:K beyond itself.

    Which faces can be compared at all does not depend on τ, so the domain that was measured for the space holds for it too.

    Raises:
        SettingError: see `sameface.matching.as_threshold`. Zero is legal: it accepts nobody.
    """
    shipped = shipped_operating_point(space)
    return OperatingPoint(
        threshold=as_threshold(threshold, unit_length=unit_length),
        space=space,
        target=GIVEN,
        domain=shipped.domain if shipped is not None else None,
    )


def one_of(
    threshold: float | None, operating_point: OperatingPoint | float | str | PathLike[str] | None
) -> OperatingPoint | float | str | PathLike[str] | None:
    """What decides, of the two ways to say it; None where neither was said.

    Raises:
        SettingError: both were given.
    """
    if threshold is not None and operating_point is not None:
        raise SettingError(expected="a threshold or an operating point", got="both", advice="leave one of them out")
    return operating_point if threshold is None else threshold


def resolve(
    point: OperatingPoint | float | str | PathLike[str] | None, card: ModelCard, space: EmbeddingSpace
) -> OperatingPoint:
    """The operating point for a space.

    Args:
        point: the caller's own point, the file of one, or a bare τ; None takes what was measured for this space, then what the network's
            authors published.
        card: of the encoder.
        space: where the embeddings live.

    Raises:
        CalibrationError: the point was measured in another space, or its τ cannot be one.
        NoThresholdError: nothing was given, measured or published.
    """
    if isinstance(point, (str, PathLike)) and not _is_number(point):
        point = load_operating_point(fspath(point))
    if isinstance(point, OperatingPoint):
        if point.space != space:
            raise CalibrationError(
                expected=f"an operating point of {space}",
                got=f"one of {point.space}",
                advice="calibrate with the encoder and detector in use: `sameface calibrate DATA`",
            )
        try:
            as_threshold(point.threshold, unit_length=card.unit_length)
        except SettingError as error:
            raise CalibrationError(expected=error.expected, got=error.got, advice="calibrate again") from error
        return point
    if point is not None:
        return given_threshold(cast(float, point), space, unit_length=card.unit_length)
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


def _is_number(point: str | PathLike[str]) -> bool:
    """Whether a text is a number, which a threshold's check refuses with the right word, and no file."""
    try:
        float(fspath(point))
    except ValueError:
        return False
    return True

"""Whether a photo may become a template: checks that keep mistakes out of a gallery, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, cast, get_args

from sameface.errors import (
    FaceQualityError,
    FaceTooSmallError,
    ImageError,
    NoFaceError,
    SamefaceError,
    SettingError,
    SeveralFacesError,
)
from sameface.matching import distance, is_same
from sameface.recognizer.results import PhotoReport
from sameface.types import Candidate, Embeddings, Template

#: ``off``: a photo only needs its one face. ``standard``: also good enough, new, and not somebody else's. ``strict``: also like the others.
Review = Literal["off", "standard", "strict"]

_REASONS: Final[tuple[tuple[type[SamefaceError], str], ...]] = (
    (NoFaceError, "no face"),
    (SeveralFacesError, "several faces"),
    (FaceTooSmallError, "too small"),
    (FaceQualityError, "low quality"),
    (ImageError, "unreadable"),
)


def as_review(review: str) -> Review:
    """A word as a way to review.

    Raises:
        SettingError: another word.
    """
    if review not in get_args(Review):
        raise SettingError(
            expected=f"a review among {', '.join(get_args(Review))}", got=repr(review), advice="choose one of those"
        )
    return cast(Review, review)


def refused(source: str, error: SamefaceError) -> PhotoReport:
    """The report on a photo that did not give a face."""
    reason = next((word for kind, word in _REASONS if isinstance(error, kind)), "unreadable")
    return PhotoReport(source, False, getattr(error, "reason", reason), str(error))


def review_photo(
    name: str,
    template: Template,
    faults: Sequence[str],
    *,
    own: Sequence[Embeddings],
    stored: Collection[str],
    neighbours: Sequence[Candidate],
    threshold: float | None,
    review: Review,
) -> PhotoReport:
    """Whether a face may become a template of a person.

    Args:
        name: whom it is meant to be.
        template: the face, encoded.
        faults: what the quality check found wrong, worst first.
        own: embeddings of that person so far.
        stored: digests of that person's photos so far.
        neighbours: the nearest people of the gallery, nearest first, at least two where there are two.
        threshold: τ for 1:1; None compares with nobody.
        review: how much to ask.
    """

    def report(reason: str, detail: str = "", looks_like: str | None = None) -> PhotoReport:
        return PhotoReport(
            template.source, reason == "accepted", reason, detail, looks_like, template.quality, template.box
        )

    if template.source_sha256 and template.source_sha256 in stored:
        return report("duplicate", "this very photo is stored already")
    if review == "off":
        return report("accepted")
    if faults:
        return report(faults[0], "take a sharper, brighter, larger or more frontal photo, or review less strictly")
    if threshold is None:
        return report("accepted")
    nearest_own = min((distance(template.embedding, item) for item in own), default=None)
    other = next((item for item in neighbours if item.name != name), None)
    if (
        other is not None
        and is_same(other.distance, threshold)
        and (nearest_own is None or other.distance < nearest_own)
    ):
        return report(
            "looks like somebody else",
            f"{other.name} is at distance {other.distance:.3f}, under τ = {threshold:.3f}: check who this is",
            other.name,
        )
    if review == "strict" and nearest_own is not None and not is_same(nearest_own, threshold):
        return report(
            "unlike the other photos",
            f"the nearest photo of {name} is at distance {nearest_own:.3f}, not under τ = {threshold:.3f}",
        )
    return report("accepted")

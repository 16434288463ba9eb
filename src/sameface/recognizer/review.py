"""Whether a photo may become a template: checks that keep mistakes out of a gallery, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, cast, get_args

from sameface.errors import (
    EnrollmentRefusedError,
    FaceQualityError,
    FaceTooSmallError,
    ImageError,
    NoFaceError,
    SamefaceError,
    SettingError,
    SeveralFacesError,
)
from sameface.gallery import Sight
from sameface.matching import distance, is_same
from sameface.recognizer.results import PhotoReport
from sameface.types import Candidate, Embeddings, Template

#: ``off``: a photo only needs its one face. ``standard``: also good enough, new, like the person's others and like nobody else.
#: ``strict``: also not poor.
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


def refusal(reports: Sequence[PhotoReport], review: Review) -> EnrollmentRefusedError:
    """The error for a person none of whose photos was accepted."""
    error = EnrollmentRefusedError(
        expected=f"at least one photo that passes the {review} review",
        got="; ".join(
            f"{report.photo or 'a photo'}: {report.reason}. {report.detail.rstrip('.')}" for report in reports[:3]
        )
        or "no photos",
        advice="give another photo, or if you are sure take it as it is: `off` for `review` (at the shell `--review`)",
    )
    error.reports = tuple(reports)
    return error


class Reviewer:
    """The judge of one person's photos: asked by the gallery in the transaction that stores them.

    Args:
        name: whom the photos are meant to show.
        threshold: τ for 1:1; None compares with nobody.
        review: how much to ask.

    Attributes:
        reports: what became of each photo, in order, when it was last asked.
    """

    def __init__(self, name: str, threshold: float | None, review: Review) -> None:
        self._name, self._threshold, self._review = name, threshold, review
        self._photos: list[tuple[Template, Sequence[str]]] = []
        self.reports: list[PhotoReport] = []

    def consider(self, template: Template, faults: Sequence[str]) -> None:
        """Add a photo: its template, and what the quality check found wrong, worst first."""
        self._photos.append((template, faults))

    def __call__(self, sight: Sight) -> list[int]:
        """The places of the photos that may be stored; each that is accepted counts among the person's own for those after it."""
        own = [stored.template.embedding for stored in sight.templates]
        digests = {stored.template.source_sha256 for stored in sight.templates}
        person_id = sight.person.person_id if sight.person is not None else ""
        self.reports, accepted = [], []
        for place, ((template, faults), near) in enumerate(zip(self._photos, sight.neighbours, strict=True)):
            report = review_photo(
                self._name,
                template,
                faults,
                own=own,
                stored=digests,
                others=[item for item in near if item.person_id != person_id],
                threshold=self._threshold,
                review=self._review,
            )
            self.reports.append(report)
            if report.accepted:
                accepted.append(place)
                own.append(template.embedding)
                digests.add(template.source_sha256)
        return accepted


def review_photo(
    name: str,
    template: Template,
    faults: Sequence[str],
    *,
    own: Sequence[Embeddings],
    stored: Collection[str],
    others: Sequence[Candidate],
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
        others: the nearest of everybody else in the gallery, nearest first.
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
    other = others[0] if others else None
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
    if nearest_own is not None and not is_same(nearest_own, threshold):
        return report(
            "unlike the other photos",
            f"the nearest photo of {name} is at distance {nearest_own:.3f}, not under τ = {threshold:.3f}: is this the same person?",
        )
    return report("accepted")

"""The answers of the use cases: frozen, and complete enough to be shown without asking again.

Each has a one-line ``repr``, a form for notebooks, and its wire form (`sameface.recognizer.wire`) by `to_wire`, or as plain values by `to_dict`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sameface.recognizer.answer import Answer
from sameface.recognizer.domain import Standing
from sameface.recognizer.words import distance_sign, plural, probability_sign
from sameface.types import Box, Candidate, OperatingPoint, Person

if TYPE_CHECKING:
    from sameface.recognizer import wire


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Answer):
    """The 1:1 answer: is this the same (the claimed) person? True in a boolean context iff it is.

    Attributes:
        same: ``distance < threshold``.
        distance: L2; lower is more alike. For a claimed person that of the nearest of their photos.
        threshold: τ that decided.
        probability: calibrated on labelled pairs at the stated prior, else None; never a rescaled distance.
        operating_point: where τ comes from.
        claimed: the claimed person, None when two photos were compared.
        probe_box: the face in the probe; reference_box: the face in the reference, None where only its embedding is kept.
        standing: ``usual``; ``unknown``: which faces τ holds for was not measured; ``poor``: decided under the stricter τ of such faces;
            ``outside``: not comparable, and answered because the caller forced it.
        standing_reason: in words, "" for a usual face.
    """

    same: bool
    distance: float
    threshold: float
    probability: float | None
    operating_point: OperatingPoint
    claimed: Person | None = None
    probe_box: Box | None = None
    reference_box: Box | None = None
    standing: Standing = "usual"
    standing_reason: str = ""

    @property
    def forced(self) -> bool:
        """Whether the caller insisted on an answer about a face that is not comparable."""
        return self.standing == "outside"

    def __bool__(self) -> bool:
        return self.same

    def __repr__(self) -> str:
        who = f"claimed={self.claimed.name!r}, " if self.claimed is not None else ""
        chance = f", {probability_sign(self.probability)}" if self.probability is not None else ""
        doubt = "" if self.standing in ("usual", "unknown") else f", {self.standing}: {self.standing_reason}"
        return f"Verification({who}same={self.same}, {distance_sign(self.distance, self.threshold)}{chance}{doubt})"

    def to_wire(self, probe: wire.Size | None = None, reference: wire.Size | None = None) -> wire.Verification:
        """As it travels; the sizes of the photos where they are known."""
        from sameface.recognizer import wire

        return wire.Verification(
            same=self.same,
            distance=self.distance,
            threshold=self.threshold,
            probability=self.probability,
            operating_point=wire.summary(self.operating_point),
            claimed=self.claimed,
            probe_box=wire.rounded(self.probe_box),
            probe_size=probe,
            reference_box=wire.rounded(self.reference_box),
            reference_size=reference,
            standing=self.standing,
            standing_reason=self.standing_reason,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Identification(Answer):
    """The 1:K answer for one face: who is this?

    Attributes:
        name, person_id: the nearest person when they are under τ(K), else None: nobody.
        distance: to the nearest person, None in an empty gallery.
        threshold: τ(K), None where no claim is supported (see `why`).
        candidates: the nearest people, nearest first; not matches.
        margin: distance of the runner-up minus that of the nearest, None with fewer than two people.
        comparisons: K, the templates searched.
        box: the face in the photo.
        why: one sentence on what decided.
        standing: ``usual``; ``unknown``: which faces τ holds for was not measured; ``poor``: decided under a stricter τ(K); ``outside``: not
            comparable, nobody is named unless the caller forced it.
        standing_reason: in words, "" for a usual face.
    """

    name: str | None
    person_id: str | None
    distance: float | None
    threshold: float | None
    candidates: tuple[Candidate, ...]
    margin: float | None
    comparisons: int
    box: Box
    why: str
    standing: Standing = "usual"
    standing_reason: str = ""

    @property
    def forced(self) -> bool:
        """Whether somebody is named by a face that is not comparable, because the caller insisted."""
        return self.standing == "outside" and self.name is not None

    def __repr__(self) -> str:
        who = "nobody" if self.name is None else repr(self.name)
        if self.distance is None:
            return f"Identification({who}: {self.why})"
        nearest = f"nearest {self.candidates[0].name!r} " if self.name is None and self.candidates else ""
        return f"Identification({who}, {nearest}{distance_sign(self.distance, self.threshold, 'τ(K)')})"

    def to_wire(self) -> wire.Identification:
        """As it travels."""
        from sameface.recognizer import wire

        return wire.Identification(
            name=self.name,
            person_id=self.person_id,
            distance=self.distance,
            threshold=self.threshold,
            margin=self.margin,
            comparisons=self.comparisons,
            candidates=self.candidates,
            box=wire.rounded(self.box),
            why=self.why,
            standing=self.standing,
            standing_reason=self.standing_reason,
        )


@dataclass(frozen=True, slots=True)
class PhotoReport(Answer):
    """What became of one photo at enrolment.

    Attributes:
        photo: path or file name, as it was given; "" when it had none.
        accepted: whether a template was stored.
        reason: ``accepted``, or a word for why not: ``no face``, ``several faces``, ``too small``, ``blurred``, ``dark``, ``extreme pose``,
            ``low quality``, ``duplicate``, ``looks like somebody else``, ``unlike the other photos``, ``unreadable``.
        detail: one sentence: what was expected, what came, what to do.
        looks_like: name of the enrolled person it resembles, when that is the reason.
        quality: 0 to 1, None when there was no face to judge.
        box: the face.
    """

    photo: str
    accepted: bool
    reason: str
    detail: str = ""
    looks_like: str | None = None
    quality: float | None = None
    box: Box | None = None

    def to_wire(self, photo: str | None = None) -> wire.PhotoReport:
        """As it travels; under the file name that came with an upload where that is given."""
        from sameface.recognizer import wire

        return wire.PhotoReport(
            photo=self.photo if photo is None else photo,
            accepted=self.accepted,
            reason=self.reason,
            detail=self.detail,
            looks_like=self.looks_like,
            quality=self.quality,
            box=wire.rounded(self.box),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Enrollment(Answer):
    """What enrolling did: the person as stored now, and a report per photo."""

    person: Person
    reports: tuple[PhotoReport, ...]

    @property
    def accepted(self) -> int:
        """Photos that became templates."""
        return sum(report.accepted for report in self.reports)

    def __repr__(self) -> str:
        return f"Enrollment({self.person.name!r}, {self.accepted} of {plural(len(self.reports), 'photo')} accepted)"

    def to_wire(self, photos: tuple[str, ...] | None = None) -> wire.Enrollment:
        """As it travels; with the file names that came with uploads where those are given, in the order of the reports."""
        from sameface.recognizer import wire

        names = photos or [None] * len(self.reports)
        return wire.Enrollment(
            name=self.person.name,
            person=self.person,
            accepted=self.accepted,
            reports=tuple(report.to_wire(name) for report, name in zip(self.reports, names, strict=True)),
        )

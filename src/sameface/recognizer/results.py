"""The answers of the use cases: frozen, and complete enough to be shown without asking again."""

from __future__ import annotations

from dataclasses import dataclass

from sameface.types import Box, Candidate, Detection, Embeddings, OperatingPoint, Person


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFace:
    """A face of a photo with its embedding.

    Attributes:
        detection: where it is.
        embedding: ``(d,)`` float32.
    """

    detection: Detection
    embedding: Embeddings

    @property
    def box(self) -> Box:
        return self.detection.box


@dataclass(frozen=True, slots=True)
class Verification:
    """The 1:1 answer: is this the same (the claimed) person? True in a boolean context iff it is.

    Attributes:
        same: ``distance < threshold``.
        distance: L2; lower is more alike. For a claimed person that of the nearest of their photos.
        threshold: τ that decided.
        probability: calibrated on labelled pairs at the stated prior, else None; never a rescaled distance.
        operating_point: where τ comes from.
        claimed: the claimed person, None when two photos were compared.
        box: the face in the probe; reference_box: the face in the reference, None where only its embedding is kept.
    """

    same: bool
    distance: float
    threshold: float
    probability: float | None
    operating_point: OperatingPoint
    claimed: Person | None = None
    box: Box | None = None
    reference_box: Box | None = None

    def __bool__(self) -> bool:
        return self.same

    def _repr_html_(self) -> str:
        from sameface.recognizer.display import verification_html

        return verification_html(self)


@dataclass(frozen=True, slots=True)
class Identification:
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

    def _repr_html_(self) -> str:
        from sameface.recognizer.display import identification_html

        return identification_html(self)


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What became of one photo at enrolment.

    Attributes:
        source: the photo, as it was given.
        accepted: whether a template was stored.
        reason: ``accepted``, or a word for why not: ``no face``, ``several faces``, ``too small``, ``blurred``, ``dark``, ``extreme pose``,
            ``low quality``, ``duplicate``, ``looks like somebody else``, ``unlike the other photos``, ``unreadable``.
        detail: one sentence: what was expected, what came, what to do.
        looks_like: name of the enrolled person it resembles, when that is the reason.
        quality: 0 to 1, None when there was no face to judge.
        box: the face.
    """

    source: str
    accepted: bool
    reason: str
    detail: str = ""
    looks_like: str | None = None
    quality: float | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What enrolling did: the person as stored now, and a report per photo."""

    person: Person
    reports: tuple[PhotoReport, ...]

    @property
    def accepted(self) -> int:
        """Photos that became templates."""
        return sum(report.accepted for report in self.reports)

    def _repr_html_(self) -> str:
        from sameface.recognizer.display import enrollment_html

        return enrollment_html(self)

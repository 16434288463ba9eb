"""The wire form: what ``--json`` prints, the service answers, the client returns and the page reads. One set of classes, documented here once.

JSON objects have the fields below by these names. Boxes are pixels of the upright photo, to a hundredth. Nothing here holds an embedding
but `Embedded`, and `Access` where it was asked for. The service's OpenAPI document is made from these very classes; `docs/reference/answers.md`
lists them.

Over 300 lines because it is the reference of one format, read as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, overload

from sameface.errors import SamefaceError, kind_of, outcome_of
from sameface.plain import Plain, flat
from sameface.types import (
    Box,
    Candidate,
    Consent,
    EmbeddingSpace,
    Erased,
    Expired,
    OperatingPoint,
    Person,
    Retention,
)

__all__ = [
    "Access",
    "AuditLine",
    "Box",
    "Candidate",
    "Consent",
    "Detected",
    "Embedded",
    "Embeddings",
    "Enrollment",
    "Erased",
    "Expired",
    "Face",
    "Identification",
    "IdentifiedPhoto",
    "IdentifiedPhotos",
    "KeptPhoto",
    "People",
    "Person",
    "PhotoReport",
    "PointSummary",
    "Problem",
    "Retention",
    "Size",
    "Verification",
    "problem",
    "rounded",
    "summary",
]


class _Documented(Plain):
    """The texts under the fields become descriptions in the OpenAPI document."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, bool]] = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class Size(_Documented):
    """Of a photo after turning it upright, in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PointSummary(_Documented):
    """Where a threshold comes from: the fields of an `OperatingPoint` that fit on a line."""

    target: str
    """What τ was chosen for, in words."""
    data: str
    """The data it was measured on, "" when it was given or published."""
    fmr: float | None
    """False match rate measured on that data."""
    fnmr: float | None
    """False non-match rate measured on that data."""
    space: EmbeddingSpace
    """Encoder, detector and alignment that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(_Documented):
    """What went wrong, by RFC 9457, from the one table of errors."""

    type: str
    """The kind of error, for programs: ``urn:sameface:no-face``."""
    title: str
    """The kind of error, in words."""
    status: int
    """As an HTTP status."""
    detail: str
    """The three that follow as one message."""
    expected: str
    """What the operation needed."""
    got: str
    """What came instead."""
    advice: str
    """What to do now."""
    request_id: str | None = None
    """Of the service's log, null at the shell."""
    reports: tuple[PhotoReport, ...] = ()
    """For a refused enrolment: what became of each photo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(_Documented):
    """1:1: is this the same (the claimed) person? True in a boolean context iff it is."""

    same: bool
    """``distance < threshold``."""
    distance: float | None
    """L2 distance of the embeddings; lower is more alike. Null where a service keeps it back: of claims, from who may not have embeddings."""
    threshold: float
    """τ that decided."""
    probability: float | None
    """Calibrated on labelled pairs, else null; never a rescaled distance. Where the distance is kept back: 0.5, 0.9, 0.99 or null."""
    operating_point: PointSummary
    """Where τ comes from."""
    claimed: Person | None = None
    """The claimed person, null when two photos were compared."""
    probe_box: Box | None = None
    """The face in the photo asked about."""
    probe_size: Size | None = None
    """Size of that photo; null at the shell."""
    reference_box: Box | None = None
    """The face in the photo compared with; null for a claimed person, of whom only embeddings are kept."""
    reference_size: Size | None = None
    """Size of that photo."""
    standing: Literal["usual", "unknown", "poor", "outside"] = "usual"
    """``usual``: τ holds for both faces; ``unknown``: for which faces it holds was not measured; ``poor``: decided under a stricter τ;
    ``outside``: not comparable, answered because it was forced."""
    standing_reason: str = ""
    """Why a face is not usual, in words."""
    replay: bool = False
    """A service's remark: the photo is an enrolled one of that person, not a new one."""

    def __bool__(self) -> bool:
        return self.same

    def _repr_html_(self) -> str:
        from sameface.recognizer.html import verification_html

        return verification_html(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification(_Documented):
    """1:K, for one face: a name, or nobody."""

    name: str | None
    """The nearest person when under τ(K); null: nobody."""
    person_id: str | None
    """Id of that person."""
    distance: float | None
    """L2 distance to the nearest person, named or not; null in an empty gallery, and where a service keeps it back."""
    threshold: float | None
    """τ(K); null where the data behind τ support no claim for so many people."""
    margin: float | None
    """Distance of the runner-up minus that of the nearest."""
    comparisons: int
    """K, templates searched."""
    candidates: tuple[Candidate, ...]
    """The nearest people, nearest first; not matches by themselves."""
    box: Box
    """The face."""
    why: str
    """One sentence on what decided."""
    standing: Literal["usual", "unknown", "poor", "outside"] = "usual"
    """``usual``: τ(K) holds for this face; ``unknown``: for which faces it holds was not measured; ``poor``: decided under a stricter one;
    ``outside``: not comparable, so nobody is named unless forced."""
    standing_reason: str = ""
    """Why the face is not usual, in words."""
    replay: bool = False
    """A service's remark: the photo is an enrolled one of that person, not a new one."""

    def to_rows(self) -> list[dict[str, Any]]:
        """One row, without the candidates."""
        row = flat(self.to_dict())
        row.pop("candidates", None)  # there in an empty gallery only, as an empty text
        return [row]

    def _repr_html_(self) -> str:
        from sameface.recognizer.html import identification_html

        return identification_html(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedPhoto(_Documented):
    """The answers for one photo."""

    photo: str = ""
    """Path or file name, as given."""
    size: Size | None = None
    """Size of the photo; null at the shell."""
    faces: tuple[Identification, ...] = ()
    """One answer per face, in reading order."""
    error: Problem | None = None
    """Why there is no answer for this one of several photos."""

    def to_rows(self) -> list[dict[str, Any]]:
        """A row of a table for each face; where there is none, one that says why."""
        photo = {"photo": self.photo}
        rows = [photo | row for face in self.faces for row in face.to_rows()]
        return rows or [photo | {"why": "no face found" if self.error is None else self.error.detail}]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedPhotos(_Documented):
    """The answers for several photos of one request."""

    photos: tuple[IdentifiedPhoto, ...]
    """One per photo, in the order in which they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoReport(_Documented):
    """What became of one photo at enrolment; reports stand in the order of the photos."""

    photo: str
    """Path or file name, as given."""
    accepted: bool
    """Whether a template was stored."""
    reason: str
    """``accepted``, or why not: ``no face``, ``blurred``, ``duplicate``, ``looks like somebody else``, …"""
    detail: str
    """One sentence: what was expected, what came, what to do."""
    looks_like: str | None
    """The enrolled person that it resembles, where that is the reason."""
    quality: float | None
    """0 to 1; null when there was no face to judge."""
    box: Box | None
    """The face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment(_Documented):
    """What enrolling one person did."""

    name: str
    """The name that was asked for."""
    person: Person | None
    """The person as stored now; null when nothing was."""
    accepted: int
    """Photos that became templates."""
    reports: tuple[PhotoReport, ...]
    """What became of each photo."""
    error: Problem | None = None
    """Why this one of several people was not enrolled."""

    def to_rows(self) -> list[dict[str, Any]]:
        """A row of a table for each photo; one with the error where there is none."""
        name = {"name": self.name}
        rows = [name | flat(report.to_dict()) for report in self.reports]
        return rows or ([] if self.error is None else [name | {"accepted": False, "detail": self.error.detail}])

    def _repr_html_(self) -> str:
        from sameface.recognizer.html import enrollment_html

        return enrollment_html(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class People(_Documented):
    """People of a gallery, in the order of enrolment."""

    people: tuple[Person, ...]
    """One page of them; at the shell all."""
    total: int
    """Of everybody who fits the question."""
    next: str | None = None
    """Cursor of the next page; null on the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face(_Documented):
    """A face as found, and how good it is."""

    box: Box
    """Where it is."""
    confidence: float
    """The detector's, 0 to 1; comparable within one detector only."""
    quality: float | None
    """0 to 1."""
    reasons: tuple[str, ...]
    """Why the face would not be enrolled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected(_Documented):
    """The faces of one photo, in reading order."""

    size: Size
    """Size of the photo."""
    faces: tuple[Face, ...]
    """One per face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded(_Documented):
    """A face's embedding: biometric data."""

    box: Box
    """The face."""
    embedding: tuple[float, ...]
    """Its numbers, d of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings(_Documented):
    """The embeddings of one photo's faces, in reading order."""

    space: EmbeddingSpace
    """What two embeddings must share to be compared."""
    faces: tuple[Embedded, ...]
    """One per face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPhoto(_Documented):
    """What is kept of a photo; the photo itself is not."""

    photo_id: int
    """Its number in the gallery."""
    added: str
    """When it was stored, UTC; "" where that was not kept then."""
    source: str
    """Where the photo lay."""
    sha256: str
    """Digest of its bytes, hex."""
    box: Box | None
    """The face in it."""
    quality: float | None
    """0 to 1."""
    embedding: tuple[float, ...] | None = None
    """The face's embedding, where it was asked for: biometric data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine(_Documented):
    """What was done to a person's record."""

    at: str
    """When, UTC."""
    action: str
    """What: ``add``, ``consent``, ``access``, …"""
    photos: int
    """How many photos were concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(_Documented):
    """Everything that is kept of one person."""

    made: str
    """When this was put together, UTC."""
    person: Person
    """Name, details, groups, consent, and until when they are kept."""
    space: EmbeddingSpace
    """What made the embeddings."""
    dimension: int
    """How many numbers an embedding has."""
    photos: tuple[KeptPhoto, ...]
    """What is kept of each photo, in the order of enrolment."""
    retention: dict[str, Retention]
    """The rules that hold for them: their groups', and under "" the gallery's."""
    audit: tuple[AuditLine, ...]
    """What was done to their record, the oldest first."""


@overload
def rounded(box: Box) -> Box: ...
@overload
def rounded(box: None) -> None: ...
@overload
def rounded(box: Box | None) -> Box | None: ...
def rounded(box: Box | None) -> Box | None:
    """A box to a hundredth of a pixel, as it travels.

    >>> rounded(Box(1.23456, 2, 3, 4))
    Box(x1=1.23, y1=2, x2=3, y2=4)
    """
    return None if box is None else Box(round(box.x1, 2), round(box.y1, 2), round(box.x2, 2), round(box.y2, 2))


def summary(point: OperatingPoint) -> PointSummary:
    """What an answer says about its operating point."""
    return PointSummary(target=point.target, data=point.data, fmr=point.fmr, fnmr=point.fnmr, space=point.space)


def problem(error: SamefaceError, request_id: str | None = None) -> Problem:
    """An error as it travels.

    >>> from sameface.errors import NoFaceError
    >>> problem(NoFaceError(expected="one face", got="none", advice="use another photo")).type
    'urn:sameface:no-face'
    """
    return Problem(
        type=f"urn:sameface:{kind_of(type(error))}",
        title=(type(error).__doc__ or "").strip().splitlines()[0].rstrip("."),
        status=outcome_of(type(error)).http_status,
        detail=str(error),
        expected=error.expected,
        got=error.got,
        advice=error.advice,
        request_id=request_id,
        reports=tuple(report.to_wire() for report in getattr(error, "reports", ())),
    )

"""The shapes of requests and answers, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from sameface import types
from sameface.recognizer import results
from sameface.service.intake import PhotoField

Name = Annotated[str, Field(min_length=1, max_length=200, description="Data, never a path.", examples=["Ada"])]
Choose = Annotated[
    Literal["only", "centre", "largest"],
    Field(description="Which face counts where a photo shows several; `only` refuses such a photo."),
]
Threshold = Annotated[
    float | None, Field(ge=0, allow_inf_nan=False, description="Stricter than the server's policy; larger is refused.")
]


class Form(BaseModel):
    """A request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A response."""

    model_config = ConfigDict(frozen=True)


# -- parts ------------------------------------------------------------------------------------------------------------
class Box(Answer):
    """Pixels of the upright photo, from its top left corner."""

    x1: float
    y1: float
    x2: float
    y2: float

    @classmethod
    def of(cls, box: types.Box) -> Self:
        return cls(x1=round(box.x1, 2), y1=round(box.y1, 2), x2=round(box.x2, 2), y2=round(box.y2, 2))

    @classmethod
    def maybe(cls, box: types.Box | None) -> Self | None:
        return None if box is None else cls.of(box)


class Size(Answer):
    """Of the photo after turning it upright."""

    width: int
    height: int


class Person(Answer):
    person_id: str = Field(examples=["5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"])
    name: str
    details: dict[str, str]
    groups: list[str]
    photos: int
    created: str

    @classmethod
    def of(cls, person: types.Person) -> Self:
        return cls(
            person_id=person.person_id,
            name=person.name,
            details=dict(person.details),
            groups=list(person.groups),
            photos=person.photos,
            created=person.created,
        )


class Candidate(Answer):
    """A near person; not a match by itself."""

    person_id: str
    name: str
    distance: float


# -- two photos, or a claim -------------------------------------------------------------------------------------------
class VerifyForm(Form):
    photo_a: PhotoField
    photo_b: PhotoField
    choose: Choose = "only"
    threshold: Threshold = None


class ClaimForm(Form):
    photo: PhotoField
    name: Name | None = None
    person_id: str | None = Field(None, max_length=64)
    choose: Choose = "only"
    threshold: Threshold = None


class Verification(Answer):
    same: bool
    distance: float = Field(description="L2 distance of the embeddings; lower is more alike.")
    threshold: float = Field(description="τ: same iff distance < τ.")
    probability: float | None = Field(description="Calibrated on labelled pairs, else null; never a rescaled distance.")
    target: str = Field(description="What τ was chosen for.")
    box_a: Box | None
    box_b: Box | None
    size_a: Size | None
    size_b: Size | None
    person: Person | None = None

    @classmethod
    def of(cls, answer: results.Verification, size_a: Size, size_b: Size | None = None) -> Self:
        return cls(
            same=answer.same,
            distance=answer.distance,
            threshold=answer.threshold,
            probability=answer.probability,
            target=answer.operating_point.target,
            box_a=Box.maybe(answer.box),
            box_b=Box.maybe(answer.reference_box),
            size_a=size_a,
            size_b=size_b,
            person=None if answer.claimed is None else Person.of(answer.claimed),
        )


# -- who is this ------------------------------------------------------------------------------------------------------
class IdentifyForm(Form):
    photo: PhotoField
    candidates: int = Field(3, ge=1, le=10)
    group: str | None = Field(None, max_length=200)
    fpir: float | None = Field(None, gt=0, lt=1, description="Stricter than the server's policy; larger is refused.")
    threshold: Threshold = None


class Identified(Answer):
    name: str | None = Field(description="Null: nobody.")
    person_id: str | None
    distance: float | None
    threshold: float | None = Field(
        description="τ(K); null where the data behind τ support no claim for so many people."
    )
    margin: float | None
    comparisons: int
    candidates: list[Candidate]
    box: Box
    why: str

    @classmethod
    def of(cls, answer: results.Identification) -> Self:
        return cls(
            name=answer.name,
            person_id=answer.person_id,
            distance=answer.distance,
            threshold=answer.threshold,
            margin=answer.margin,
            comparisons=answer.comparisons,
            candidates=[
                Candidate(person_id=item.person_id, name=item.name, distance=item.distance)
                for item in answer.candidates
            ],
            box=Box.of(answer.box),
            why=answer.why,
        )


class Identification(Answer):
    size: Size
    faces: list[Identified] = Field(description="One answer per face, in reading order.")


# -- people -----------------------------------------------------------------------------------------------------------
class EnrollForm(Form):
    name: Name
    photos: list[PhotoField] = Field(min_length=1)
    details: dict[str, str] = Field(default_factory=dict)
    groups: list[str] = Field(default_factory=list)
    choose: Choose = "only"
    review: Literal["standard", "strict"] = "standard"


class PhotoReport(Answer):
    """What became of one photo."""

    photo: int = Field(description="Its place in the request, from 0.")
    file: str
    accepted: bool
    reason: str = Field(examples=["accepted", "blurred", "looks like somebody else"])
    detail: str
    looks_like: str | None
    quality: float | None
    box: Box | None

    @classmethod
    def of(cls, place: int, file: str, report: results.PhotoReport) -> Self:
        return cls(
            photo=place,
            file=file,
            accepted=report.accepted,
            reason=report.reason,
            detail=report.detail,
            looks_like=report.looks_like,
            quality=report.quality,
            box=Box.maybe(report.box),
        )


class Enrollment(Answer):
    person: Person
    accepted: int
    reports: list[PhotoReport]


class PersonPatch(Form):
    name: Name | None = None
    details: dict[str, str] | None = None
    groups: list[str] | None = None


class People(Answer):
    people: list[Person]
    total: int = Field(description="Of everybody who fits the question.")
    next: str | None = Field(description="Cursor of the next page, null on the last.")


class StoredPhoto(Answer):
    """What is kept of a photo besides its embedding: never pixels."""

    photo_id: int
    source: str
    sha256: str
    box: Box | None
    quality: float | None


class StoredPhotos(Answer):
    photos: list[StoredPhoto]


class Erased(Answer):
    person_id: str
    templates: int
    elsewhere: dict[str, int]


# -- the rest ---------------------------------------------------------------------------------------------------------
class PhotoForm(Form):
    photo: PhotoField


class Face(Answer):
    box: Box
    confidence: float
    quality: float | None
    reasons: list[str] = Field(description="Why the face would not be enrolled.")


class Detected(Answer):
    size: Size
    faces: list[Face]


class Embedded(Answer):
    box: Box
    embedding: list[float]


class Embeddings(Answer):
    encoder: str
    detector: str
    alignment: str
    faces: list[Embedded]


class GalleryForm(Form):
    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", examples=["team-2"])


class Gallery(Answer):
    name: str
    people: int
    photos: int


class Galleries(Answer):
    galleries: list[str]


class Deleted(Answer):
    gallery: str
    people: int


class Health(Answer):
    status: Literal["ok"]


class Readiness(Answer):
    status: Literal["ready", "starting", "broken"]
    reason: str = ""


class Model(Answer):
    id: str
    title: str
    kind: str
    in_use: bool
    licence: str
    commercial_use: str
    licence_note: str


class Models(Answer):
    models: list[Model]


class Caps(Answer):
    max_body: int
    max_photo: int
    max_pixels: int
    max_photos: int
    max_faces: int
    formats: list[str]


class Policy(Answer):
    """What decides, and where it comes from."""

    version: str
    role: str
    encoder: str
    detector: str
    alignment: str
    embeddings: bool
    fpir: float
    operating_point: dict[str, Any]
    caps: Caps


class Problem(Answer):
    """RFC 9457, from the one table of errors."""

    type: str = Field(examples=["urn:sameface:no-face"])
    title: str
    status: int
    detail: str
    expected: str
    got: str
    advice: str
    request_id: str

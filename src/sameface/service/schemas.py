"""The shapes of requests, and of those answers that only a service gives; the others are `sameface.recognizer.wire`.

Over 300 lines because it is the reference of one API, read as a whole.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from sameface.gallery import now
from sameface.recognizer.wire import AuditLine
from sameface.service.intake import PhotoField
from sameface.types import Box, Consent, Retention

_CONTROLS: Final = r"\x00-\x1F\x7F-\x9F\u2028\u2029"
#: Blank, or drawn as nothing: `sameface.gallery.rules.invisible`, but for what lies beyond U+FFFF, which not every reader of patterns can say.
_UNSEEN: Final = (
    r"\s\xAD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F"
    r"\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB"
)
#: A character that shows, and no control character anywhere; said in the document, checked where names are stored.
_SHOWN: Final = rf"^[^{_CONTROLS}]*[^{_UNSEEN}{_CONTROLS}][^{_CONTROLS}]*$"
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="Data, never a path.",
        examples=["Ada"],
        json_schema_extra={"pattern": _SHOWN},
    ),
]
Choose = Annotated[
    Literal["only", "centre", "largest"],
    Field(description="Which face counts where a photo shows several; `only` refuses such a photo."),
]
Threshold = Annotated[
    float | None, Field(ge=0, allow_inf_nan=False, description="Stricter than the server's policy; larger is refused.")
]

Forced = Annotated[
    bool, Field(description="Answer about faces that are not comparable, too: a guess, and `standing` says so.")
]

Group = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"pattern": _SHOWN})]
Groups = Annotated[list[Group], Field(max_length=64)]
Details = Annotated[
    dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=10_000)]], Field(max_length=64)
]


Session = Annotated[
    str | None,
    Field(max_length=64, description="Id of a session of liveness that passed with this face; it is used up."),
]


class Form(BaseModel):
    """A request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A response."""

    model_config = ConfigDict(frozen=True)


# -- on what terms ----------------------------------------------------------------------------------------------------
Date = Annotated[
    str,
    Field(
        max_length=40,
        description="A date, whose end counts, or a moment by ISO 8601.",
        examples=["2027-12-31"],
        json_schema_extra={"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?$"},
    ),
]
Term = Annotated[str, Field(min_length=1, max_length=1000, json_schema_extra={"pattern": _SHOWN})]


class ConsentForm(Form):
    purpose: Term
    given: Date | None = Field(None, description="Left out, now.")
    until: Date | None = None
    evidence: Term | None = Field(None, description="Where the proof lies: the number of a signed form, say.")

    def value(self) -> Consent:
        """As it is stored."""
        return Consent(self.purpose, self.given or now(), self.until or "", self.evidence or "")


class HoldForm(Form):
    reason: Term


class RetentionForm(Form):
    group: Group | None = Field(None, description="Left out, everybody.")
    days: int = Field(0, ge=0, le=36_525, description="From the enrolment on.")
    until: str = Field("", max_length=40, json_schema_extra={"pattern": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?)?$"})


class Retentions(Answer):
    rules: dict[str, Retention]


# -- two photos, or a claim -------------------------------------------------------------------------------------------
class VerifyForm(Form):
    probe: PhotoField
    reference: PhotoField
    choose: Choose = "only"
    threshold: Threshold = None
    force: Forced = False


def _one_claim(schema: dict[str, Any]) -> None:
    """A claim goes by name or by id: said in the document."""
    for field in ("name", "person_id"):
        (text,) = (kind for kind in schema["properties"][field].pop("anyOf") if kind != {"type": "null"})
        schema["properties"][field].update(text)
        schema["properties"][field].pop("default")
    schema["oneOf"] = [{"required": ["name"]}, {"required": ["person_id"]}]


class ClaimForm(Form):
    model_config = ConfigDict(json_schema_extra=_one_claim)

    photo: PhotoField
    name: Name | None = None
    person_id: str | None = Field(None, max_length=64)
    choose: Choose = "only"
    threshold: Threshold = None
    force: Forced = False
    liveness: Session = None


# -- who is this ------------------------------------------------------------------------------------------------------
class IdentifyForm(Form):
    photo: PhotoField
    candidates: int = Field(3, ge=1, le=10)
    group: Group | None = None
    fpir: float | None = Field(None, gt=0, lt=1, description="Stricter than the server's policy; larger is refused.")
    threshold: Threshold = None
    force: Forced = False
    liveness: Session = None


class IdentifyManyForm(Form):
    photos: Annotated[
        list[PhotoField],
        Field(
            min_length=1, max_length=64, description="A server may take fewer at once: see `max_photos` of its policy."
        ),
    ]
    candidates: int = Field(3, ge=1, le=10)
    group: Group | None = None
    fpir: float | None = Field(None, gt=0, lt=1, description="Stricter than the server's policy; larger is refused.")
    threshold: Threshold = None
    force: Forced = False


# -- people -----------------------------------------------------------------------------------------------------------
class EnrollForm(Form):
    name: Name
    photos: Annotated[
        list[PhotoField],
        Field(
            min_length=1, max_length=64, description="A server may take fewer at once: see `max_photos` of its policy."
        ),
    ]
    details: Details = Field(default_factory=dict)
    groups: Groups = Field(default_factory=list)
    consent: ConsentForm | None = None
    keep_until: Date | None = None
    choose: Choose = "only"
    liveness: Session = None
    review: Literal["standard", "strict"] | None = Field(
        None, description="Stricter than the server's own; left out, the server's own. Laxer is refused."
    )


class PersonPatch(Form):
    name: Name | None = None
    details: Details | None = None
    groups: Groups | None = None
    consent: ConsentForm | None = None
    keep_until: str | None = Field(
        None,
        max_length=40,
        description="A date, whose end counts, or a moment by ISO 8601; empty for no retention of their own.",
        json_schema_extra={"pattern": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?)?$"},
    )


class MergeForm(Form):
    other: str = Field(
        pattern=r"^[0-9a-f]{32}$",
        description="Id of the entry that goes: its photos, groups and missing details move to this one.",
        examples=["5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"],
    )


class StoredPhoto(Answer):
    """What is kept of a photo besides its embedding: never pixels."""

    photo_id: int
    added: str = Field(description='When it was stored, UTC; "" where that was not kept then.')
    source: str
    sha256: str
    box: Box | None
    quality: float | None


class StoredPhotos(Answer):
    photos: list[StoredPhoto]


class History(Answer):
    lines: list[AuditLine] = Field(description="The oldest first.")


# -- was somebody there -----------------------------------------------------------------------------------------------
class LiveForm(Form):
    moved_by: Annotated[
        Literal["head", "camera"],
        Field(description="`camera` where a head cannot be turned: the camera is moved around it."),
    ] = "head"
    steps: int = Field(4, ge=3, le=8)
    leave_out: Annotated[
        list[Literal["left", "right", "up", "down", "nearer", "farther"]],
        Field(max_length=3, description="Movements that are not asked; of each kind one must stay."),
    ] = Field(default_factory=list)


class LivePrompt(Answer):
    """What to do now."""

    phase: Literal["settle", "wait", "step", "back", "passed", "failed"]
    action: str
    words: str
    hint: str
    done: int
    steps: int
    share: float
    reason: str


class LiveStarted(Answer):
    session: str
    seconds: float
    prompt: LivePrompt


class Movement(Answer):
    action: str
    after: float


class LiveAnswer(Answer):
    over: bool
    passed: bool
    reason: str
    made: list[Movement]
    frames: int
    seconds: float
    chance: float


# -- bulk enrolment ---------------------------------------------------------------------------------------------------
class JobForm(Form):
    photos: int = Field(ge=0, le=10_000_000, description="How many there will be, as far as you know.")


class Job(Answer):
    """A bulk enrolment, and how far it is."""

    job_id: str
    created: str
    photos: int
    done: int
    accepted: int
    reasons: dict[str, int]


class Jobs(Answer):
    jobs: list[Job]


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DigestsForm(Form):
    sha256: Annotated[list[Digest], Field(min_length=1, max_length=5000)]


class Digests(Answer):
    sha256: list[str]


# -- the rest ---------------------------------------------------------------------------------------------------------
class PhotoForm(Form):
    photo: PhotoField


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
    liveness: Literal["off", "warn", "require"]
    operating_point: dict[str, Any]
    caps: Caps

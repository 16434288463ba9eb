"""What is asked of a service, as values: built here once, sent by the one client or the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from typing import IO, Any, Generic, TypeAlias, TypeVar
from unicodedata import normalize

import msgspec

from sameface import errors
from sameface.errors import SamefaceError
from sameface.plain import known
from sameface.recognizer.wire import (
    Enrollment,
    Erased,
    IdentifiedPhoto,
    IdentifiedPhotos,
    People,
    Person,
    Verification,
    problem,
)
from sameface.types import Consent, PersonId, Who

#: A photo to send: a path, the bytes of a file, or a binary file.
Upload: TypeAlias = "str | PathLike[str] | bytes | IO[bytes]"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Ask(Generic[Answer]):
    """One question of the API.

    Attributes:
        method, path: of the request; the path is below ``/v1/``.
        read: the body of the answer as a value.
        fields: of a form; those that are None are left out.
        photos: of the form: the field and the photo.
        params: of the address.
        json: as the body.
    """

    method: str
    path: str
    read: Callable[[dict[str, Any]], Answer]
    fields: Mapping[str, object] = field(default_factory=dict)
    photos: Sequence[tuple[str, Upload]] = ()
    params: Mapping[str, str] | None = None
    json: Mapping[str, object] | None = None

    def request(self) -> dict[str, Any]:
        """The arguments of httpx's `request` besides method and path. Reads the photos.

        Raises:
            ImageNotFoundError, ImageAccessError: one cannot be read.
        """
        if self.photos:
            data = {name: value for name, value in self.fields.items() if value is not None}
            files = [(name, (label, content)) for name, photo in self.photos for label, content in [_read(photo)]]
            return {"data": data, "files": files}
        return {name: value for name, value in (("params", self.params), ("json", self.json)) if value is not None}


def as_is(body: dict[str, Any]) -> dict[str, Any]:
    """A body that nobody needs to read."""
    return body


def _as(kind: type[Answer]) -> Callable[[dict[str, Any]], Answer]:
    return partial(msgspec.convert, type=known(kind))


def verify(probe: Upload, reference: Upload, choose: str, threshold: float | None, force: bool) -> Ask[Verification]:
    """Do two photos show the same person?"""
    photos = [("probe", probe), ("reference", reference)]
    fields = {"choose": choose, "threshold": threshold, "force": _forced(force)}
    return Ask("POST", "verify", _as(Verification), fields, photos)


@dataclass(frozen=True, slots=True)
class GalleryAsks:
    """The questions about one gallery.

    Attributes:
        name: of the gallery.
    """

    name: str

    @property
    def path(self) -> str:
        """Of the gallery, below ``/v1/``."""
        return f"galleries/{self.name}"

    def enroll(
        self,
        name: str,
        photos: Upload | Sequence[Upload],
        details: Mapping[str, str] | None,
        groups: Sequence[str],
        consent: Consent | None,
        keep_until: str,
        choose: str,
        review: str | None,
        job: str = "",
    ) -> Ask[Enrollment]:
        """Make a person known; as a part of a job where one is named."""
        uploads: Sequence[Any] = photos if isinstance(photos, (list, tuple)) else [photos]
        fields: dict[str, object] = {"name": name, "choose": choose, "review": review}
        if groups:
            fields["groups"] = [groups] if isinstance(groups, str) else list(groups)
        if details:
            fields["details"] = msgspec.json.encode(dict(details)).decode()
        if consent is not None:
            fields["consent"] = msgspec.json.encode(consent_given(consent)).decode()
        if keep_until:
            fields["keep_until"] = keep_until
        place = f"{self.path}/jobs/{job}/people" if job else f"{self.path}/people"
        return Ask("POST", place, _as(Enrollment), fields, [("photos", photo) for photo in uploads])

    def identify(self, photo: Upload, searching: Mapping[str, object]) -> Ask[IdentifiedPhoto]:
        """Who is in a photo?"""
        return Ask("POST", f"{self.path}/identify", _as(IdentifiedPhoto), searching, [("photo", photo)])

    def identify_part(self, photos: Iterable[Upload], searching: Mapping[str, object]) -> Ask[IdentifiedPhotos]:
        """Who is in each of a few photos?"""
        listed = [("photos", photo) for photo in photos]
        return Ask("POST", f"{self.path}/identify-many", _as(IdentifiedPhotos), searching, listed)

    def verify(self, who: Who, photo: Upload, choose: str, threshold: float | None, force: bool) -> Ask[Verification]:
        """Is this the claimed person?"""
        claimed = {"name": who} if isinstance(who, str) else {"person_id": id_of(who)}
        fields = {**claimed, "choose": choose, "threshold": threshold, "force": _forced(force)}
        return Ask("POST", f"{self.path}/verify", _as(Verification), fields, [("photo", photo)])

    def page(self, search: str, group: str | None, cursor: str) -> Ask[People]:
        """Some of the people."""
        parts = {"search": search, "cursor": cursor, "limit": "500", **({} if group is None else {"group": group})}
        return Ask("GET", f"{self.path}/people", _as(People), params=parts)

    def person(self, person_id: str) -> Ask[Person]:
        """One person."""
        return Ask("GET", f"{self.path}/people/{person_id}", _as(Person))

    def update(
        self,
        person_id: str,
        name: str | None,
        details: Mapping[str, str] | None,
        groups: Sequence[str] | None,
        consent: Consent | None,
        keep_until: str | None,
    ) -> Ask[Person]:
        """Replace a person's name, details, groups, consent or own retention."""
        given = {
            "name": name,
            "details": None if details is None else dict(details),
            "groups": None if groups is None else [groups] if isinstance(groups, str) else list(groups),
            "consent": None if consent is None else consent_given(consent),
            "keep_until": keep_until,
        }
        body = {part: value for part, value in given.items() if value is not None}
        return Ask("PATCH", f"{self.path}/people/{person_id}", _as(Person), json=body)

    def merge(self, into: str, other: str) -> Ask[Person]:
        """Two entries are one person."""
        return Ask("POST", f"{self.path}/people/{into}/merge", _as(Person), json={"other": other})

    def forget(self, person_id: str) -> Ask[Erased]:
        """Erase a person."""
        return Ask("DELETE", f"{self.path}/people/{person_id}", _as(Erased))

    def digests(self, person_id: str) -> Ask[set[str]]:
        """Which photos of a person there are, by sha256."""
        return Ask(
            "GET",
            f"{self.path}/people/{person_id}/photos",
            lambda body: {str(photo["sha256"]) for photo in body["photos"]},
        )

    def begin_job(self, photos: int) -> Ask[dict[str, Any]]:
        """Begin a bulk enrolment."""
        return Ask("POST", f"{self.path}/jobs", as_is, json={"photos": photos})

    def job(self, job_id: str) -> Ask[dict[str, Any]]:
        """How far a bulk enrolment is."""
        return Ask("GET", f"{self.path}/jobs/{job_id}", as_is)

    def end_job(self, job_id: str) -> Ask[dict[str, Any]]:
        """Take a bulk enrolment away."""
        return Ask("DELETE", f"{self.path}/jobs/{job_id}", as_is)

    def missing(self, job_id: str, digests: Sequence[str]) -> Ask[set[str]]:
        """Which photos of a bulk enrolment are still to be sent."""
        place = f"{self.path}/jobs/{job_id}/missing"
        return Ask("POST", place, lambda body: set(body["sha256"]), json={"sha256": list(digests)})

    def count(self) -> Ask[int]:
        """How many people there are."""
        return Ask("GET", self.path, lambda body: int(body["people"]))

    def nobody(self, who: str, some: Sequence[Person]) -> SamefaceError:
        """The error for a name that nobody has; of some who are enrolled, those called nearly so are named."""
        return errors.PersonNotFoundError(
            expected=f"somebody enrolled in {self.name}",
            got=repr(who),
            advice=errors.did_you_mean(who, (person.name for person in some), "see the list of people"),
        )


def searching(
    candidates: int, group: str | None, fpir: float | None, threshold: float | None, force: bool
) -> Mapping[str, object]:
    """The fields of a search."""
    fields = {"candidates": candidates, "group": group, "fpir": fpir, "threshold": threshold}
    return {**fields, "force": _forced(force)}


def _forced(force: bool) -> str | None:
    return "true" if force else None


def consent_given(consent: Consent) -> dict[str, str]:
    """A consent as a request has it: what is empty is left out."""
    fields: dict[str, str] = msgspec.to_builtins(consent)
    return {name: value for name, value in fields.items() if value}


def id_of(who: PersonId | Person) -> str:
    """Who is meant, by id."""
    return who.person_id if isinstance(who, Person) else who.value


def plain_name(name: str) -> str:
    """A name as the service stores it."""
    return normalize("NFC", name).strip()


#: What concerns one person of many; anything else ends the work.
OF_ONE_PERSON = (errors.ImageError, errors.FaceError, errors.PersonError)


def refused(name: str, error: SamefaceError) -> Enrollment:
    """What became of a person whose photos were refused."""
    reports = tuple(getattr(error, "reports", ()))
    return Enrollment(name=name, person=None, accepted=0, reports=reports, error=problem(error))


def _read(upload: Upload) -> tuple[str, bytes]:
    """A name and the bytes; read whole, so that a request can be sent again."""
    if isinstance(upload, bytes):
        return "photo", upload
    if isinstance(upload, (str, PathLike)):
        path = Path(upload)
        try:
            return path.name, path.read_bytes()
        except FileNotFoundError as error:
            raise errors.ImageNotFoundError(
                expected="the path of a picture", got=f"{str(path)!r}, where there is no file", advice="check the path"
            ) from error
        except OSError as error:
            raise errors.ImageAccessError(
                expected="a picture that may be read", got=f"{path}: {error.strerror}", advice="check the path"
            ) from error
    return Path(str(getattr(upload, "name", "photo"))).name, upload.read()

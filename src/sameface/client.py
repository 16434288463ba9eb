"""The service's client: typed like the library, the same errors, over HTTP. Needs the extra ``client``.

from sameface.client import Client

with Client("http://127.0.0.1:8000", key="sf_…") as faces:
    faces.verify("a.jpg", "b.jpg")                 # Verification(same=True, distance=…, threshold=…)
    people = faces.gallery("people")
    people.enroll("Ada", "ada.jpg")
    people.identify("party.jpg")
    people.forget("Ada")
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypeAlias
from unicodedata import normalize

import httpx
import msgspec

from sameface import errors
from sameface.errors import SamefaceError, ServiceError
from sameface.files import photos_below, sha256_of
from sameface.recognizer.wire import (
    Enrollment,
    Erased,
    Identification,
    IdentifiedPhoto,
    IdentifiedPhotos,
    People,
    Person,
    Verification,
    problem,
)
from sameface.types import PersonId, Who

#: A photo to send: a path, the bytes of a file, or a binary file.
Upload: TypeAlias = "str | PathLike[str] | bytes | IO[bytes]"
#: Refusals before any work: the same request may be sent again.
_REFUSALS: Final = frozenset({"urn:sameface:rate-limited", "urn:sameface:overloaded"})


class Client:
    """A connection to a service; threads may share it.

    Args:
        url: where the service is, for instance ``http://127.0.0.1:8000``.
        key: an API key, None where the service asks for none.
        timeout: seconds for one request.
        retries: how often a request is sent again when the service refused it as too busy or cannot be reached; never when
            something may have been done.
        transport: for tests.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 2,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/v1/",
            headers=headers,
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
        )
        self._retries = retries

    # -- photos alone -------------------------------------------------------------------------------------------------
    def verify(
        self, probe: Upload, reference: Upload, *, choose: str = "only", threshold: float | None = None
    ) -> Verification:
        """Do two photos show the same person? A threshold may only be stricter than the server's."""
        photos = [("probe", probe), ("reference", reference)]
        answer = self._post("verify", {"choose": choose, "threshold": threshold}, photos)
        return msgspec.convert(answer, Verification)

    def gallery(self, name: str = "people") -> RemoteGallery:
        """A gallery of the service; nothing is asked yet."""
        return RemoteGallery(self, name)

    def galleries(self) -> list[str]:
        """Names of the galleries that the key may see."""
        return list(self.call("GET", "galleries")["galleries"])

    def create_gallery(self, name: str) -> RemoteGallery:
        """Make a gallery. Raises PersonExistsError where the name is taken."""
        self.call("POST", "galleries", json={"name": name})
        return self.gallery(name)

    def policy(self) -> dict[str, Any]:
        """The server's threshold with its provenance, and its caps."""
        return self.call("GET", "policy")

    # -- underneath ---------------------------------------------------------------------------------------------------
    def call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """One request of the API.

        Raises:
            SamefaceError: the very class that the service raised, with its expected, got and advice.
            ServiceError: an answer that is not the service's.
        """
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                response = self._http.request(method, path, **request)
            except httpx.ConnectError as error:  # nothing was sent
                if last:
                    raise self._unreachable(error) from error
                time.sleep(0.2 * 2**attempt)
                continue
            except httpx.TransportError as error:
                raise self._unreachable(error) from error
            if not last and _was_refused(response):
                time.sleep(min(float(response.headers.get("retry-after", "1")), 10.0))
                continue
            break
        if response.is_success:
            return dict(response.json())
        raise _error_of(response)

    def _post(self, path: str, fields: Mapping[str, object], photos: Sequence[tuple[str, Upload]]) -> dict[str, Any]:
        data = {name: value for name, value in fields.items() if value is not None}
        files = [(field, (name, content)) for field, upload in photos for name, content in [_read(upload)]]
        return self.call("POST", path, data=data, files=files)

    def _unreachable(self, error: Exception) -> ServiceError:
        return ServiceError(
            expected=f"a service at {self._http.base_url}",
            got=str(error) or type(error).__name__,
            advice="check that it runs",
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RemoteGallery:
    """A gallery behind a service; the operations of `sameface.Gallery`.

    Args:
        client: the connection.
        name: of the gallery.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client, self.name = client, name
        self._path = f"galleries/{name}"

    def enroll(
        self,
        name: str,
        photos: Upload | Sequence[Upload],
        *,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
        choose: str = "only",
        review: str | None = None,
    ) -> Enrollment:
        """Make a person known by one photo or several, or add photos to somebody known. A review may only be stricter than the server's."""
        uploads: Sequence[Any] = photos if isinstance(photos, (list, tuple)) else [photos]
        fields: dict[str, object] = {"name": name, "choose": choose, "review": review}
        if groups:
            fields["groups"] = list(groups)
        if details:
            fields["details"] = msgspec.json.encode(dict(details)).decode()
        answer = self._client._post(f"{self._path}/people", fields, [("photos", upload) for upload in uploads])
        return msgspec.convert(answer, Enrollment)

    def identify(
        self,
        photo: Upload,
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        threshold: float | None = None,
    ) -> list[Identification]:
        """Who is this? One answer per face, in reading order."""
        fields = {"candidates": candidates, "group": group, "fpir": fpir, "threshold": threshold}
        answer = self._client._post(f"{self._path}/identify", fields, [("photo", photo)])
        return list(msgspec.convert(answer, IdentifiedPhoto).faces)

    def identify_many(
        self,
        photos: Iterable[Upload],
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        threshold: float | None = None,
        at_once: int = 8,
    ) -> Iterator[IdentifiedPhoto]:
        """Who is in each of many photos? Answers come in their order, as they are there; a photo that failed comes with its error.

        Photos are read and sent a few at a time, so the iterable may be endless, and who stops goes on with the rest later.
        """
        fields = {"candidates": candidates, "group": group, "fpir": fpir, "threshold": threshold}
        waiting = iter(photos)
        while part := [("photos", photo) for photo in islice(waiting, at_once)]:
            answer = self._client._post(f"{self._path}/identify-many", fields, part)
            yield from msgspec.convert(answer, IdentifiedPhotos).photos

    def enroll_folder(
        self, folder: str | PathLike[str], *, review: str | None = None, at_once: int = 8
    ) -> Iterator[Enrollment]:
        """Make everybody of a folder of folders known, ``NAME/photo.jpg``; an answer for each part of a person's photos, as it is done.

        Started again it goes on: the service says which photos of a person it has, and those are not sent.
        """
        known = {person.name: person.person_id for person in self.people()}
        for place in sorted(path for path in Path(folder).iterdir() if path.is_dir() and not path.name.startswith(".")):
            name = normalize("NFC", place.name)
            kept = self._digests(known[name]) if name in known else set()
            new = [photo for photo in photos_below(place) if sha256_of(photo) not in kept]
            for start in range(0, len(new), at_once):
                part = new[start : start + at_once]
                try:
                    yield self.enroll(name, part, review=review)
                except (errors.ImageError, errors.FaceError, errors.PersonError) as error:
                    reports = tuple(getattr(error, "reports", ()))
                    yield Enrollment(name=name, person=None, accepted=0, reports=reports, error=problem(error))

    def _digests(self, person_id: str) -> set[str]:
        kept = self._client.call("GET", f"{self._path}/people/{person_id}/photos")["photos"]
        return {str(photo["sha256"]) for photo in kept}

    def verify(self, who: Who, photo: Upload, *, choose: str = "only", threshold: float | None = None) -> Verification:
        """Is this the claimed person?"""
        claimed = {"name": who} if isinstance(who, str) else {"person_id": _id_of(who)}
        fields = {**claimed, "choose": choose, "threshold": threshold}
        return msgspec.convert(self._client._post(f"{self._path}/verify", fields, [("photo", photo)]), Verification)

    def people(self, search: str = "", group: str | None = None) -> Iterator[Person]:
        """Everybody who fits, page by page, in the order of enrolment."""
        cursor: str | None = ""
        while cursor is not None:
            parts = {"search": search, "cursor": cursor, "limit": "500", **({} if group is None else {"group": group})}
            page = self._client.call("GET", f"{self._path}/people", params=parts)
            found = msgspec.convert(page, People)
            yield from found.people
            cursor = found.next

    def person(self, who: Who) -> Person:
        """One person, as stored now.

        Args:
            who: a name, a `PersonId`, or a `Person` of an earlier look-up, who is meant by id whatever their name is now.

        Raises:
            PersonNotFoundError: nobody of exactly that name, or of that id.
        """
        if not isinstance(who, str):
            return msgspec.convert(self._client.call("GET", self._person(who)), Person)
        name = normalize("NFC", who).strip()
        for person in self.people(search=name):
            if person.name == name:
                return person
        raise errors.PersonNotFoundError(
            expected=f"somebody enrolled in {self.name}", got=repr(who), advice="see the list of people"
        )

    def update(
        self,
        who: Who,
        *,
        name: str | None = None,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] | None = None,
    ) -> Person:
        """Replace a person's name, details or groups: all that are given, or none of them."""
        given = {
            "name": name,
            "details": None if details is None else dict(details),
            "groups": None if groups is None else list(groups),
        }
        body = {field: value for field, value in given.items() if value is not None}
        return msgspec.convert(self._client.call("PATCH", self._person(who), json=body), Person)

    def rename(self, who: Who, new: str) -> Person:
        """Give a person another name; the id and the photos stay."""
        return self.update(who, name=new)

    def forget(self, who: Who) -> Erased:
        """Erase a person; says what was erased."""
        return msgspec.convert(self._client.call("DELETE", self._person(who)), Erased)

    def _person(self, who: Who) -> str:
        """Where a person is; a name is looked up once, from there on it goes by id."""
        return f"{self._path}/people/{_id_of(self.person(who) if isinstance(who, str) else who)}"

    def __len__(self) -> int:
        return int(self._client.call("GET", self._path)["people"])


def _id_of(who: PersonId | Person) -> str:
    return who.person_id if isinstance(who, Person) else who.value


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


def _was_refused(response: httpx.Response) -> bool:
    """Whether the service was busy and did nothing; a time-out, say, may still have stored something."""
    if response.status_code not in (429, 503):
        return False
    try:
        return response.json().get("type") in _REFUSALS
    except (ValueError, AttributeError):
        return False


def _kinds() -> dict[str, type[SamefaceError]]:
    """Error classes by the word that the service sends: ``no-face`` → `NoFaceError`."""
    return {errors.kind_of(kind): kind for kind in errors.OUTCOMES}


def _error_of(response: httpx.Response) -> SamefaceError:
    try:
        body = response.json()
        word = str(body["type"]).removeprefix("urn:sameface:")
        parts = {name: str(body[name]) for name in ("expected", "got", "advice")}
    except (ValueError, KeyError, TypeError):
        return ServiceError(
            expected="an answer of a sameface service",
            got=f"status {response.status_code} from {response.url.host}",
            advice="check the address, and any proxy in between",
        )
    error = _kinds().get(word, SamefaceError)(**parts)
    error.add_note(f"request {body.get('request_id', '')}")
    return error

"""People of a gallery: enroll, list, rename, forget."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from sameface.errors import EnrollmentRefusedError, MalformedRequestError, PersonNotFoundError, RequestTooLargeError
from sameface.recognizer.wire import Enrollment, Erased, People, Person, rounded
from sameface.service.intake import body_of, read_form
from sameface.service.policy import reviewed
from sameface.service.routes.galleries import GalleryName
from sameface.service.routes.photos import SAMPLE
from sameface.service.schemas import EnrollForm, PersonPatch, StoredPhoto, StoredPhotos
from sameface.service.visit import Asks, read_photos

router = APIRouter(tags=["people"])

PersonId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"])]


@router.post(
    "/galleries/{gallery}/people",
    status_code=201,
    responses={200: {"model": Enrollment, "description": "Photos were added to somebody known."}},
    openapi_extra=body_of(EnrollForm, {"name": "Ada", "photos": [SAMPLE]}),
)
async def enroll(gallery: GalleryName, request: Request, response: Response, ask: Asks) -> Enrollment:
    """Make a person known by one photo or several; or add photos to somebody known. Says what became of each photo.

    Acknowledged means stored: all accepted photos were written to disk in one transaction.
    """
    ask.allow("write", gallery)
    form = await read_photos(request, ask, EnrollForm)
    if len(form.photos) > ask.desk.settings.max_photos:
        raise RequestTooLargeError(
            expected=f"at most {ask.desk.settings.max_photos} photos",
            got=str(len(form.photos)),
            advice="send them in parts",
        )

    review = reviewed(form.review, ask.desk.settings.review)
    told = ask.disclosure(gallery)

    def work() -> tuple[Enrollment, bool]:
        held = ask.shelf.get(gallery)
        try:
            done = held.enroll(
                form.name,
                [photo.data for photo in form.photos],
                details=form.details,
                groups=form.groups,
                choose=form.choose,
                review=review,
            )
        except EnrollmentRefusedError as error:
            raise told.refusal(error) from None
        answer = told.enrolled(done).to_wire(tuple(photo.name for photo in form.photos))
        return answer, done.person.photos == done.accepted

    answer, new = await ask.on_photos(work)
    if not new:
        response.status_code = 200
    counts = {"photos": len(form.photos), "accepted": answer.accepted}
    ask.note("enroll", gallery=gallery, person_id=answer.person.person_id if answer.person else "", counts=counts)
    return answer


@router.get("/galleries/{gallery}/people")
async def people(
    gallery: GalleryName,
    ask: Asks,
    search: Annotated[str, Query(max_length=200, description="Part of a name, in any case.")] = "",
    group: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=200, description="`next` of the page before.")] = "",
) -> People:
    """Who is enrolled, in the order of enrolment."""
    ask.allow("see", gallery)
    after = _read_cursor(cursor)

    def work() -> People:
        everybody = ask.shelf.get(gallery).people(group)
        if search:
            part = search.casefold()
            everybody = [person for person in everybody if part in person.name.casefold()]
        start = next((place + 1 for place, person in enumerate(everybody) if person.person_id == after[1]), None)
        if start is None:  # forgotten meanwhile: go on with who came later
            start = next((place for place, person in enumerate(everybody) if person.created > after[0]), len(everybody))
        page = everybody[start : start + limit]
        more = start + limit < len(everybody)
        return People(
            people=tuple(page),
            total=len(everybody),
            next=_cursor(page[-1].created, page[-1].person_id) if more else None,
        )

    return await ask.desk.records.run(work)


@router.get("/galleries/{gallery}/people/{person_id}")
async def person(gallery: GalleryName, person_id: PersonId, ask: Asks) -> Person:
    """One person."""
    ask.allow("see", gallery)
    return await ask.desk.records.run(lambda: ask.shelf.get(gallery).store.person_by_id(person_id))


@router.patch("/galleries/{gallery}/people/{person_id}", openapi_extra=body_of(PersonPatch, {"name": "Ada Lovelace"}))
async def change(gallery: GalleryName, person_id: PersonId, request: Request, ask: Asks) -> Person:
    """Rename a person, or replace their details or groups."""
    ask.allow("write", gallery)
    form = await read_form(request, PersonPatch)

    def work() -> Person:
        store = ask.shelf.get(gallery).store
        now = store.person_by_id(person_id)
        if form.name is not None and form.name != now.name:
            now = store.rename(now.name, form.name)
        if form.details is not None:
            now = store.set_details(now.name, form.details)
        if form.groups is not None:
            now = store.set_groups(now.name, form.groups)
        return now

    answer = await ask.desk.records.run(work)
    ask.note("change", gallery=gallery, person_id=person_id)
    return answer


@router.delete("/galleries/{gallery}/people/{person_id}")
async def forget(gallery: GalleryName, person_id: PersonId, ask: Asks) -> Erased:
    """Erase a person; says what was erased. From the answer on, no worker names them again."""
    ask.allow("erase", gallery)

    def work() -> Erased:
        held = ask.shelf.get(gallery)
        return held.forget(held.store.person_by_id(person_id).name)

    answer = await ask.desk.records.run(work)
    ask.note("forget", gallery=gallery, person_id=person_id, counts={"templates": answer.templates})
    return answer


@router.get("/galleries/{gallery}/people/{person_id}/photos")
async def photos(gallery: GalleryName, person_id: PersonId, ask: Asks) -> StoredPhotos:
    """What is kept of a person's photos: where faces were and how good; never pixels, never embeddings."""
    ask.allow("see", gallery)

    def work() -> StoredPhotos:
        stored = ask.shelf.get(gallery).store.templates_of(person_id)
        return StoredPhotos(
            photos=[
                StoredPhoto(
                    photo_id=item.template_id,
                    source=item.template.source,
                    sha256=item.template.source_sha256,
                    box=rounded(item.template.box),
                    quality=item.template.quality,
                )
                for item in stored
            ]
        )

    return await ask.desk.records.run(work)


@router.delete("/galleries/{gallery}/people/{person_id}/photos/{photo_id}")
async def forget_photo(
    gallery: GalleryName, person_id: PersonId, photo_id: Annotated[int, Path(ge=0, le=2**62)], ask: Asks
) -> Erased:
    """Erase one photo's embedding; the person stays."""
    ask.allow("erase", gallery)

    def work() -> Erased:
        store = ask.shelf.get(gallery).store
        if all(item.template_id != photo_id for item in store.templates_of(person_id)):
            raise PersonNotFoundError(
                expected="a photo of that person", got=f"photo {photo_id}", advice="see the person's list of photos"
            )
        return store.drop_template(photo_id)

    answer = await ask.desk.records.run(work)
    ask.note("forget photo", gallery=gallery, person_id=person_id, counts={"templates": answer.templates})
    return answer


def _cursor(created: str, person_id: str) -> str:
    return base64.urlsafe_b64encode(f"{created} {person_id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[str, str]:
    """The moment and id after which a page starts; ("", "") for the first page."""
    if not cursor:
        return "", ""
    try:
        created, person_id = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode().split(" ")
    except (ValueError, UnicodeError, binascii.Error):
        raise MalformedRequestError(
            expected="a cursor", got="something else", advice="use `next` of the page before"
        ) from None
    return created, person_id

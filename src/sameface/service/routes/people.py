"""People of a gallery: enroll, list, rename, forget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from sameface.errors import EnrollmentRefusedError, PersonNotFoundError, RequestTooLargeError
from sameface.recognizer.wire import Enrollment, Erased, People, Person, rounded
from sameface.service.intake import Photo, body_of, read_form
from sameface.service.live_policy import HEADER, live_count, shown_live
from sameface.service.policy import reviewed
from sameface.service.routes.galleries import GalleryName
from sameface.service.routes.photos import SAMPLE
from sameface.service.schemas import EnrollForm, Group, MergeForm, PersonPatch, StoredPhoto, StoredPhotos
from sameface.service.visit import Asks, Visit, read_photos
from sameface.types import PersonId

router = APIRouter(tags=["people"])

IdInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"])]


def require_few(photos: Sequence[Photo], ask: Visit) -> None:
    """Raise RequestTooLargeError for more photos at once than the server's policy allows."""
    if len(photos) > ask.desk.settings.max_photos:
        raise RequestTooLargeError(
            expected=f"at most {ask.desk.settings.max_photos} photos, by the policy of this server",
            got=str(len(photos)),
            advice="send them in parts",
        )


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
    require_few(form.photos, ask)
    review = reviewed(form.review, ask.desk.settings.review)
    told = ask.disclosure(gallery)

    def work() -> tuple[Enrollment, bool]:
        held = ask.shelf.get(gallery)
        response.headers[HEADER] = shown_live(ask, form.liveness, form.photos, form.choose, enrolling=True)
        try:
            done = held.enroll(
                form.name,
                [photo.data for photo in form.photos],
                details=form.details,
                groups=form.groups,
                consent=None if form.consent is None else form.consent.value(),
                keep_until=form.keep_until or "",
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
    counts = {"photos": len(form.photos), "accepted": answer.accepted, **live_count(response)}
    ask.note("enroll", gallery=gallery, person_id=answer.person.person_id if answer.person else "", counts=counts)
    return answer


@router.get("/galleries/{gallery}/people")
async def people(
    gallery: GalleryName,
    ask: Asks,
    search: Annotated[str, Query(max_length=200, description="Part of a name, in any case.")] = "",
    group: Annotated[Group | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{0,18}$", description="`next` of the page before.")] = "",
) -> People:
    """Who is enrolled, in the order of enrolment."""
    ask.allow("see", gallery)

    def work() -> People:
        page = ask.shelf.get(gallery).store.page(group=group, search=search, after=cursor, limit=limit)
        return People(people=page.people, total=page.total, next=page.next or None)

    return await ask.desk.records.run(work)


@router.get("/galleries/{gallery}/people/{person_id}")
async def person(gallery: GalleryName, person_id: IdInPath, ask: Asks) -> Person:
    """One person."""
    ask.allow("see", gallery)
    return await ask.desk.records.run(lambda: ask.shelf.get(gallery).person(PersonId(person_id)))


@router.patch("/galleries/{gallery}/people/{person_id}", openapi_extra=body_of(PersonPatch, {"name": "Ada Lovelace"}))
async def change(gallery: GalleryName, person_id: IdInPath, request: Request, ask: Asks) -> Person:
    """Rename a person, replace their details, groups, consent or own retention: all that is sent, or none of it."""
    ask.allow("write", gallery)
    form = await read_form(request, PersonPatch)

    def work() -> Person:
        held = ask.shelf.get(gallery)
        return held.update(
            PersonId(person_id),
            name=form.name,
            details=form.details,
            groups=form.groups,
            consent=None if form.consent is None else form.consent.value(),
            keep_until=form.keep_until,
        )

    answer = await ask.desk.records.run(work)
    ask.note("change", gallery=gallery, person_id=person_id)
    return answer


@router.delete("/galleries/{gallery}/people/{person_id}")
async def forget(gallery: GalleryName, person_id: IdInPath, ask: Asks) -> Erased:
    """Erase a person; says what was erased. From the answer on, no worker names them again."""
    ask.allow("erase", gallery)

    def work() -> Erased:
        return ask.shelf.get(gallery).forget(PersonId(person_id))

    answer = await ask.desk.records.run(work)
    ask.note("forget", gallery=gallery, person_id=person_id, counts={"templates": answer.templates})
    return answer


@router.post(
    "/galleries/{gallery}/people/{person_id}/merge",
    openapi_extra=body_of(MergeForm, {"other": "5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"}),
)
async def merge(gallery: GalleryName, person_id: IdInPath, request: Request, ask: Asks) -> Person:
    """Two entries are one person: the other's photos go to this one, and the other is known no more."""
    ask.allow("erase", gallery)
    form = await read_form(request, MergeForm)
    if form.other == person_id:
        raise PersonNotFoundError(expected="somebody else", got="one person twice", advice="send the id of the other")
    answer = await ask.desk.records.run(lambda: ask.shelf.get(gallery).merge(PersonId(person_id), PersonId(form.other)))
    ask.note("merge", gallery=gallery, person_id=person_id)
    return answer


@router.get("/galleries/{gallery}/people/{person_id}/photos")
async def photos(gallery: GalleryName, person_id: IdInPath, ask: Asks) -> StoredPhotos:
    """What is kept of a person's photos: where faces were and how good; never pixels, never embeddings."""
    ask.allow("see", gallery)

    def work() -> StoredPhotos:
        stored = ask.shelf.get(gallery).store.templates_of(PersonId(person_id))
        return StoredPhotos(
            photos=[
                StoredPhoto(
                    photo_id=item.template_id,
                    added=item.template.added,
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
    gallery: GalleryName, person_id: IdInPath, photo_id: Annotated[int, Path(ge=0, le=2**62)], ask: Asks
) -> Erased:
    """Erase one photo's embedding; the person stays."""
    ask.allow("erase", gallery)

    def work() -> Erased:
        return ask.shelf.get(gallery).store.drop_template(photo_id, of=PersonId(person_id))

    answer = await ask.desk.records.run(work)
    ask.note("forget photo", gallery=gallery, person_id=person_id, counts={"templates": answer.templates})
    return answer

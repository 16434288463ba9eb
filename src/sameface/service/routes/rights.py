"""The rights of people: until when they are kept, holds, what is kept of them, forgetting in time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from sameface.errors import NotAllowedError
from sameface.recognizer.wire import Access, Expired, People, Person
from sameface.service.intake import body_of, read_form
from sameface.service.routes.galleries import GalleryName
from sameface.service.routes.people import IdInPath
from sameface.service.schemas import History, HoldForm, RetentionForm, Retentions
from sameface.service.visit import Asks
from sameface.types import PersonId, Retention

router = APIRouter(tags=["rights"])


@router.get("/galleries/{gallery}/people/{person_id}/access")
async def access(
    gallery: GalleryName,
    person_id: IdInPath,
    ask: Asks,
    embeddings: Annotated[
        bool, Query(description="The embeddings too: for admins, where the server allows embeddings.")
    ] = False,
) -> Access:
    """Everything that is kept of one person, to be handed to them. The gallery's audit log notes it."""
    ask.allow("write", gallery)
    if embeddings and not ask.exact:
        raise NotAllowedError(
            expected="an admin's key, and a server that allows embeddings",
            got="another",
            advice="leave embeddings out",
        )

    def work() -> Access:
        return ask.shelf.get(gallery).access(PersonId(person_id), embeddings=embeddings)

    answer = await ask.desk.records.run(work)
    ask.note("access", gallery=gallery, person_id=person_id, counts={"photos": len(answer.photos)})
    return answer


@router.get("/galleries/{gallery}/people/{person_id}/history")
async def history(gallery: GalleryName, person_id: IdInPath, ask: Asks) -> History:
    """What was done to a person's record, from the gallery's audit log."""
    ask.allow("write", gallery)
    return History(lines=list(await ask.desk.records.run(lambda: ask.shelf.get(gallery).history(PersonId(person_id)))))


@router.put("/galleries/{gallery}/people/{person_id}/hold", openapi_extra=body_of(HoldForm, {"reason": "case 7"}))
async def hold(gallery: GalleryName, person_id: IdInPath, request: Request, ask: Asks) -> Person:
    """A legal hold: until it is lifted nothing of this person is erased, not even when their time is over."""
    ask.allow("rule", gallery)
    form = await read_form(request, HoldForm)
    answer = await ask.desk.records.run(lambda: ask.shelf.get(gallery).hold(PersonId(person_id), form.reason))
    ask.note("hold", gallery=gallery, person_id=person_id)
    return answer


@router.delete("/galleries/{gallery}/people/{person_id}/hold")
async def lift_hold(gallery: GalleryName, person_id: IdInPath, ask: Asks) -> Person:
    """Lift a legal hold. Whose time is over meanwhile is forgotten at once."""
    ask.allow("rule", gallery)
    answer = await ask.desk.records.run(lambda: ask.shelf.get(gallery).lift_hold(PersonId(person_id)))
    ask.note("lift hold", gallery=gallery, person_id=person_id)
    return answer


@router.get("/galleries/{gallery}/retention")
async def retention(gallery: GalleryName, ask: Asks) -> Retentions:
    """How long people are kept, by group; under "" everybody."""
    ask.allow("see", gallery)
    return Retentions(rules=dict(await ask.desk.records.run(lambda: ask.shelf.get(gallery).retention())))


@router.put("/galleries/{gallery}/retention", openapi_extra=body_of(RetentionForm, {"days": 365}))
async def set_retention(gallery: GalleryName, request: Request, ask: Asks) -> Retentions:
    """Say how long people are kept: everybody, or those of a group. Without days and until the rule is taken away."""
    ask.allow("rule", gallery)
    form = await read_form(request, RetentionForm)

    def work() -> Retentions:
        held = ask.shelf.get(gallery)
        rule = Retention(form.days, form.until) if form.days or form.until else None
        held.set_retention(rule, group=form.group)
        return Retentions(rules=dict(held.retention()))

    answer = await ask.desk.records.run(work)
    ask.note("set retention", gallery=gallery)
    return answer


@router.get("/galleries/{gallery}/ending")
async def ending(
    gallery: GalleryName,
    ask: Asks,
    within: Annotated[int, Query(ge=0, le=36_525, description="Days.")] = 30,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> People:
    """Whose time is over within some days, in the order of enrolment."""
    ask.allow("see", gallery)

    def work() -> People:
        found = ask.shelf.get(gallery).store.ending(within)
        return People(people=tuple(found[:limit]), total=len(found))

    return await ask.desk.records.run(work)


@router.post("/galleries/{gallery}/expire")
async def expire(gallery: GalleryName, ask: Asks) -> Expired:
    """Forget everybody whose time is over, now. The service does it by itself, too; nobody is named after their time either way."""
    ask.allow("erase", gallery)
    answer = await ask.desk.records.run(lambda: ask.shelf.get(gallery).expire())
    ask.note("expire", gallery=gallery, counts={"people": len(answer.people), "templates": answer.templates})
    return answer

"""Galleries and what is asked of them: who is this, is this the claimed person?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from sameface.errors import MalformedRequestError, SamefaceError
from sameface.imaging import open_photo
from sameface.imaging.sources import sha256_of_bytes
from sameface.recognizer.wire import IdentifiedPhoto, Verification
from sameface.service.disclosure import is_replay
from sameface.service.intake import body_of, read_form
from sameface.service.live_policy import HEADER, live_count, shown_live
from sameface.service.policy import identified, stricter, verified
from sameface.service.routes.photos import SAMPLE, size_of
from sameface.service.schemas import ClaimForm, Deleted, Galleries, Gallery, GalleryForm, IdentifyForm
from sameface.service.visit import Asks, read_photos
from sameface.types import PersonId

router = APIRouter(tags=["galleries"])

GalleryName = Annotated[str, Path(pattern=r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", examples=["people"])]


@router.get("/galleries")
async def galleries(ask: Asks) -> Galleries:
    """The galleries that the key may see."""
    ask.allow("see")
    names = await ask.desk.records.run(ask.shelf.names)
    return Galleries(galleries=[name for name in names if ask.caller.sees(name)])


@router.post("/galleries", status_code=201, openapi_extra=body_of(GalleryForm, {"name": "team-2"}))
async def create_gallery(request: Request, ask: Asks) -> Gallery:
    """Make a gallery, bound to the service's encoder, detector and alignment."""
    ask.allow("rule")
    form = await read_form(request, GalleryForm)
    ask.allow("rule", form.name)
    await ask.desk.records.run(lambda: ask.shelf.create(form.name))
    ask.note("create gallery", gallery=form.name)
    return Gallery(name=form.name, people=0, photos=0)


@router.get("/galleries/{gallery}")
async def gallery(gallery: GalleryName, ask: Asks) -> Gallery:
    """How many people and photos a gallery holds."""
    ask.allow("see", gallery)

    def work() -> Gallery:
        held = ask.shelf.get(gallery)
        return Gallery(name=gallery, people=len(held), photos=held.store.count())

    return await ask.desk.records.run(work)


@router.delete("/galleries/{gallery}")
async def delete_gallery(gallery: GalleryName, ask: Asks) -> Deleted:
    """Erase a gallery with everybody in it."""
    ask.allow("rule", gallery)

    def work() -> int:
        gone = ask.shelf.delete(gallery)
        ask.desk.jobs.remove_all(gallery)
        return gone

    people = await ask.desk.records.run(work)
    ask.note("delete gallery", gallery=gallery, counts={"people": people})
    return Deleted(gallery=gallery, people=people)


@router.post("/galleries/{gallery}/identify", openapi_extra=body_of(IdentifyForm, {"photo": SAMPLE}))
async def identify(gallery: GalleryName, request: Request, response: Response, ask: Asks) -> IdentifiedPhoto:
    """Who is this? (1:K) One answer per face: a name, or nobody."""
    ask.allow("ask", gallery)
    form = await read_photos(request, ask, IdentifyForm)
    fpir = stricter(form.fpir, ask.desk.settings.fpir, "fpir")
    recognizer = ask.recognizer

    def work() -> IdentifiedPhoto:
        held = ask.shelf.get(gallery)
        response.headers[HEADER] = shown_live(ask, form.liveness, [form.photo], "only")
        photo = open_photo(form.photo.data, limits=recognizer.limits)
        answers = held.identify(photo, candidates=form.candidates, group=form.group, fpir=fpir, force=form.force)
        return IdentifiedPhoto(
            photo=form.photo.name,
            size=size_of(photo),
            faces=ask.disclosure(gallery).identified(
                held, identified(answers, form.threshold), sha256_of_bytes(form.photo.data)
            ),
        )

    answer = await ask.on_photos(work)
    named = sum(face.name is not None for face in answer.faces)
    ask.desk.telemetry.faces.labels("identify").inc(len(answer.faces))
    ask.desk.telemetry.answers.labels("identify", "named").inc(named)
    ask.desk.telemetry.answers.labels("identify", "nobody").inc(len(answer.faces) - named)
    ask.note("identify", gallery=gallery, counts={"faces": len(answer.faces), "named": named, **live_count(response)})
    return answer


@router.post("/galleries/{gallery}/verify", openapi_extra=body_of(ClaimForm, {"photo": SAMPLE, "name": "Ada"}))
async def verify_claim(gallery: GalleryName, request: Request, response: Response, ask: Asks) -> Verification:
    """Is this the claimed person? (1:1) The claim comes by name or by id."""
    ask.allow("ask", gallery)
    form = await read_photos(request, ask, ClaimForm)
    if (form.name is None) == (form.person_id is None):
        raise MalformedRequestError(expected="name or person_id", got="both or neither", advice="send one of them")
    recognizer = ask.recognizer
    stricter(form.threshold, recognizer.operating_point.threshold, "threshold")  # before any work

    def work() -> Verification:
        held = ask.shelf.get(gallery)
        response.headers[HEADER] = shown_live(ask, form.liveness, [form.photo], form.choose)
        claimed = held.person(PersonId(form.person_id) if form.person_id is not None else form.name or "")
        uncount = ask.claim(gallery, claimed.person_id)
        try:
            photo = open_photo(form.photo.data, limits=recognizer.limits)
            answer = verified(held.verify(claimed, photo, form.choose, force=form.force), form.threshold)
        except SamefaceError:
            uncount()
            raise
        if answer.same:
            uncount()
        replay = is_replay(held, claimed, sha256_of_bytes(form.photo.data), answer.distance)
        return ask.disclosure(gallery).verified(answer.to_wire(size_of(photo)), replay)

    answer = await ask.on_photos(work)
    ask.desk.telemetry.answers.labels("claim", "same" if answer.same else "different").inc()
    ask.note(
        "claim",
        gallery=gallery,
        person_id=answer.claimed.person_id if answer.claimed else "",
        counts=live_count(response),
    )
    return answer

"""Questions about photos alone: same or not, where faces are, their embeddings."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sameface.errors import NotAllowedError
from sameface.imaging import Photo as OpenPhoto
from sameface.imaging import open_photo
from sameface.recognizer.wire import Detected, Embedded, Embeddings, Size, Verification, rounded
from sameface.service.intake import Photo, body_of
from sameface.service.policy import stricter, verified
from sameface.service.schemas import PhotoForm, VerifyForm
from sameface.service.visit import Asks, read_photos

router = APIRouter(tags=["photos"])

#: The first bytes of a JPEG, for examples.
SAMPLE = "/9j/4AAQSkZJRgABAQEASABIAAA="


def size_of(photo: OpenPhoto) -> Size:
    """Of a photo, upright."""
    width, height = photo.size_wh
    return Size(width=width, height=height)


@router.post("/verify", openapi_extra=body_of(VerifyForm, {"probe": SAMPLE, "reference": SAMPLE}))
async def verify(request: Request, ask: Asks) -> Verification:
    """Do two photos show the same person? (1:1)"""
    ask.allow("ask")
    form = await read_photos(request, ask, VerifyForm)
    recognizer = ask.recognizer
    stricter(form.threshold, recognizer.operating_point.threshold, "threshold")  # before any work

    def work() -> Verification:
        first, second = (open_photo(photo.data, limits=recognizer.limits) for photo in (form.probe, form.reference))
        answer = verified(recognizer.verify(first, second, form.choose, force=form.force), form.threshold)
        return answer.to_wire(size_of(first), size_of(second))

    answer = await ask.on_photos(work)
    ask.desk.telemetry.answers.labels("verify", "same" if answer.same else "different").inc()
    ask.note("verify")
    return answer


@router.post("/detect", openapi_extra=body_of(PhotoForm, {"photo": SAMPLE}))
async def detect(request: Request, ask: Asks) -> Detected:
    """Where are faces, and how good are they?"""
    ask.allow("ask")
    form = await read_photos(request, ask, PhotoForm)
    recognizer = ask.recognizer

    def work() -> Detected:
        photo = open_photo(form.photo.data, limits=recognizer.limits)
        return Detected(size=size_of(photo), faces=tuple(face.to_wire() for face in recognizer.inspect(photo)))

    answer = await ask.on_photos(work)
    ask.desk.telemetry.faces.labels("detect").inc(len(answer.faces))
    return answer


@router.post("/embeddings", openapi_extra=body_of(PhotoForm, {"photo": SAMPLE}))
async def embeddings(request: Request, ask: Asks) -> Embeddings:
    """The embedding of every face, in reading order. Embeddings are biometric data: off unless the operator allows them."""
    if not ask.desk.settings.embeddings:
        raise NotAllowedError(
            expected="a service that hands out embeddings",
            got="one that does not",
            advice="start it with --allow-embeddings if callers really need them",
        )
    ask.allow("rule")
    form = await read_photos(request, ask, PhotoForm)
    recognizer = ask.recognizer

    def work(photo: Photo = form.photo) -> Embeddings:
        faces = recognizer.encode_faces(open_photo(photo.data, limits=recognizer.limits))
        return Embeddings(
            space=recognizer.space,
            faces=tuple(Embedded(box=rounded(face.box), embedding=tuple(face.embedding.tolist())) for face in faces),
        )

    answer = await ask.on_photos(work)
    ask.note("embeddings", counts={"faces": len(answer.faces)})
    return answer

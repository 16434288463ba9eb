"""Many photos in one request: what fails is said in its place, the others are answered."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sameface.errors import SamefaceError
from sameface.imaging.load import open_photo
from sameface.imaging.sources import sha256_of_bytes
from sameface.recognizer import EncodedFace, wire
from sameface.recognizer.wire import IdentifiedPhoto, IdentifiedPhotos, Size
from sameface.service.intake import Photo, body_of
from sameface.service.live_policy import refuse_many
from sameface.service.policy import identified, stricter
from sameface.service.problem import for_caller
from sameface.service.routes.galleries import GalleryName
from sameface.service.routes.people import require_few
from sameface.service.routes.photos import SAMPLE, size_of
from sameface.service.schemas import IdentifyManyForm
from sameface.service.visit import Asks, read_photos

router = APIRouter(tags=["galleries"])


@router.post("/galleries/{gallery}/identify-many", openapi_extra=body_of(IdentifyManyForm, {"photos": [SAMPLE]}))
async def identify_many(gallery: GalleryName, request: Request, ask: Asks) -> IdentifiedPhotos:
    """Who is in these photos? (1:K) One answer per photo, in their order; all faces are searched for at once."""
    ask.allow("ask", gallery)
    refuse_many(ask)
    form = await read_photos(request, ask, IdentifyManyForm)
    require_few(form.photos, ask)
    fpir = stricter(form.fpir, ask.desk.settings.fpir, "fpir")
    recognizer = ask.recognizer

    def encoded(photo: Photo) -> tuple[Size, list[EncodedFace]] | SamefaceError:
        try:
            opened = open_photo(photo.data, limits=recognizer.limits)
            return size_of(opened), recognizer.encode_faces(opened)
        except SamefaceError as error:
            return error

    def work() -> IdentifiedPhotos:
        held, told = ask.shelf.get(gallery), ask.disclosure(gallery)
        found = [encoded(photo) for photo in form.photos]
        faces = [face for one in found if not isinstance(one, SamefaceError) for face in one[1]]
        answers = iter(
            identified(
                held.identify_faces(faces, candidates=form.candidates, group=form.group, fpir=fpir, force=form.force),
                form.threshold,
            )
        )
        photos = []
        for photo, one in zip(form.photos, found, strict=True):
            if isinstance(one, SamefaceError):
                photos.append(
                    IdentifiedPhoto(photo=photo.name, error=for_caller(wire.problem(one, ask.request_id), one))
                )
                continue
            size, mine = one
            of_photo = [next(answers) for _ in mine]
            photos.append(
                IdentifiedPhoto(
                    photo=photo.name,
                    size=size,
                    faces=told.identified(held, of_photo, sha256_of_bytes(photo.data)),
                )
            )
        return IdentifiedPhotos(photos=tuple(photos))

    answer = await ask.on_photos(work)
    faces = [face for photo in answer.photos for face in photo.faces]
    named = sum(face.name is not None for face in faces)
    ask.desk.telemetry.faces.labels("identify").inc(len(faces))
    ask.desk.telemetry.answers.labels("identify", "named").inc(named)
    ask.desk.telemetry.answers.labels("identify", "nobody").inc(len(faces) - named)
    ask.note(
        "identify",
        gallery=gallery,
        counts={
            "photos": len(answer.photos),
            "failed": sum(photo.error is not None for photo in answer.photos),
            "faces": len(faces),
            "named": named,
        },
    )
    return answer

"""The service about itself: health, policy, models, metrics, reports."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter

import sameface
from sameface.errors import NothingHereError
from sameface.faces.detector_spec import card_of
from sameface.models.registry import cards
from sameface.service.desk import Desk
from sameface.service.schemas import Caps, Health, Model, Models, Policy, Readiness
from sameface.service.telemetry import CONTENT_TYPE
from sameface.service.visit import Asks

router = APIRouter(tags=["about"])
#: What needs no key.
probes = APIRouter(tags=["about"])

_REPORT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


@probes.get("/health")
async def health() -> Health:
    """Whether the process answers. Needs no key."""
    return Health(status="ok")


@probes.get("/ready", responses={503: {"model": Readiness}})
async def ready(request: Request, response: Response) -> Readiness:
    """Whether photos can be taken now: networks loaded, galleries in reach. Needs no key."""
    desk: Desk = request.app.state.desk
    shelf = desk.shelf
    if shelf is None:
        response.status_code = 503
        return Readiness(status="starting")
    try:
        desk.audit.check_room()
        if desk.keys is not None:
            await desk.records.run(desk.keys.keys)
        await desk.records.run(shelf.check)
    except (OSError, sameface.SamefaceError) as error:
        response.status_code = 503
        return Readiness(status="broken", reason=type(error).__name__)
    return Readiness(status="ready")


@router.get("/policy")
async def policy(ask: Asks) -> Policy:
    """What decides here, with its provenance, and the caps on requests."""
    ask.allow("see")
    recognizer, settings = ask.recognizer, ask.desk.settings
    point: dict[str, Any] = msgspec.to_builtins(recognizer.operating_point)
    if point["domain"] is not None:  # its tables are nine tenths of the whole, and of use to nobody who asks
        point["domain"] = {
            name: value for name, value in point["domain"].items() if not isinstance(value, list | tuple | dict)
        }
    return Policy(
        version=sameface.__version__,
        role=ask.caller.role,
        encoder=recognizer.space.encoder,
        detector=recognizer.space.detector,
        alignment=recognizer.space.alignment,
        embeddings=settings.embeddings,
        fpir=settings.fpir,
        liveness=settings.liveness,
        operating_point=point,
        caps=Caps(
            max_body=settings.max_body,
            max_photo=settings.max_photo,
            max_pixels=settings.max_pixels,
            max_photos=settings.max_photos,
            max_faces=settings.max_faces,
            formats=list(settings.formats),
        ),
    )


@router.get("/models")
async def models(ask: Asks) -> Models:
    """Every model known here, its licence, and whether it is in use."""
    ask.allow("see")
    space = ask.recognizer.space
    used = {space.encoder, card_of(space.detector)}

    def work() -> Models:
        return Models(
            models=[
                Model(
                    id=card.id,
                    title=card.title,
                    kind=card.kind,
                    in_use=card.id in used,
                    licence=card.licence,
                    commercial_use=card.commercial_use,
                    licence_note=card.licence_note,
                )
                for card in cards()
            ]
        )

    return await ask.desk.records.run(work)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(ask: Asks) -> Response:
    """Counters for Prometheus."""
    ask.allow("see")
    ask.desk.telemetry.at_work.set(ask.desk.photos.inside)
    return Response(ask.desk.telemetry.text(), headers={"Content-Type": CONTENT_TYPE})


@router.get("/reports")
async def reports(ask: Asks) -> dict[str, list[str]]:
    """The evaluation reports that the operator shows."""
    ask.allow("see")
    return {"reports": await ask.desk.records.run(lambda: [path.name for path in _reports(ask.desk)])}


@router.get("/reports/{name}", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def report(
    name: Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")], ask: Asks
) -> Response:
    """One evaluation report, as `sameface evaluate` wrote it."""
    ask.allow("see")

    def work() -> bytes:
        # Looked up in the folder's own list, so that a name can never leave the folder.
        for path in _reports(ask.desk):
            if path.name == name:
                return path.read_bytes()
        raise NothingHereError(expected="a report of this service", got=repr(name), advice="see the list of reports")

    return Response(await ask.desk.records.run(work), media_type="application/json")


def _reports(desk: Desk) -> list[Path]:
    folder = desk.settings.reports
    if folder is None or not folder.is_dir():
        return []
    found = [
        path for path in folder.glob("*.json") if path.is_file() and not path.is_symlink() and _REPORT.match(path.name)
    ]
    return sorted(found, key=lambda path: path.name)

"""The running parts of a service, made once per process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from sameface.encoders import DEFAULT_ENCODER, load_encoder
from sameface.errors import NotAuthenticatedError, OverloadedError, RequestTooLargeError
from sameface.faces import DEFAULT_DETECTOR, Detector, load_detector
from sameface.imaging import Limits
from sameface.models.operating_points import load_operating_point
from sameface.recognizer import Recognizer
from sameface.service.attempts import Attempts
from sameface.service.audit import AuditTrail
from sameface.service.batching import BatchingEncoder
from sameface.service.disclosure import Disclosure
from sameface.service.intake import Form, read_form
from sameface.service.keys import OPEN_DOOR, Action, Caller, KeyFile
from sameface.service.limits import RateLimit, Workshop
from sameface.service.settings import Settings
from sameface.service.shelf import Shelf, common_space
from sameface.service.telemetry import Telemetry
from sameface.types import Detection, ImageRGB

Part = TypeVar("Part")


class CrowdGuard:
    """A detector that refuses photos of more faces than one request may cost."""

    def __init__(self, inner: Detector, most: int) -> None:
        self._inner = inner
        self._most = most

    @property
    def id(self) -> str:
        return self._inner.id

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """As `Detector.detect`.

        Raises:
            RequestTooLargeError: more faces than allowed; none of them was encoded.
        """
        found = self._inner.detect(image_rgb)
        if len(found) > self._most:
            raise RequestTooLargeError(
                expected=f"at most {self._most} faces in a photo",
                got=f"{len(found)}",
                advice="cut the photo into parts",
            )
        return found


@dataclass(slots=True)
class Desk:
    """Everything that routes use.

    Attributes:
        claims: refused claims that callers without embeddings have left. near_misses: the same for 1:K.
        photos: threads for photos. records: threads for quick questions to galleries, so that lists answer while photos wait.
        recognizer, shelf: None until the networks are loaded.
    """

    settings: Settings
    telemetry: Telemetry
    keys: KeyFile | None
    rate: RateLimit
    audit: AuditTrail
    photos: Workshop
    records: Workshop
    claims: Attempts
    near_misses: Attempts
    recognizer: Recognizer | None = None
    shelf: Shelf | None = None

    def load(self) -> None:
        """Load the networks and open the galleries; takes seconds, in a thread."""
        recognizer = load_recognizer(self.settings)
        _ = recognizer.operating_point  # a service without a policy does not start
        shelf = Shelf(self.settings, recognizer)
        if not shelf.names():
            shelf.create("people")
        self.recognizer, self.shelf = recognizer, shelf

    def close(self) -> None:
        """Finish what runs, then let go of galleries and files."""
        self.photos.close()
        self.records.close()
        if self.shelf is not None:
            self.shelf.close()
        self.audit.close()


def load_recognizer(settings: Settings) -> Recognizer:
    """The recognizer of a service: capped, batching, under the server's operating point.

    An encoder or detector that the settings do not name is the operating point's, else the one that all galleries were made with.
    """
    point = load_operating_point(settings.operating_point) if settings.operating_point else None
    space = point.space if point is not None else common_space(settings)
    encoder_id = settings.encoder or (space.encoder if space else DEFAULT_ENCODER)
    detector_id = settings.detector or (space.detector if space else DEFAULT_DETECTOR)
    # Photos run side by side in threads of their own, so a detector takes one core; the encoder runs one call at a time, on all.
    detector = load_detector(detector_id, device=settings.device, threads=1)
    encoder = load_encoder(encoder_id, device=settings.device)
    recognizer = Recognizer(
        detector=CrowdGuard(detector, settings.max_faces),
        encoder=BatchingEncoder(encoder, settings.batch),
        operating_point=settings.threshold if point is None else point,
        limits=Limits(settings.max_photo, settings.max_pixels, settings.formats),
    )
    if point is not None and settings.threshold is not None:
        recognizer.operating_point = replace(point, threshold=min(point.threshold, settings.threshold))
    return recognizer


def open_desk(settings: Settings) -> Desk:
    """The parts that are ready at once."""
    return Desk(
        settings=settings,
        telemetry=Telemetry(),
        keys=None if settings.keys is None else KeyFile(settings.keys),
        rate=RateLimit(settings.rate, settings.burst),
        audit=AuditTrail(settings.audit),
        photos=Workshop(settings.workers, settings.queue, settings.timeout, "photos"),
        records=Workshop(4, 4 * (settings.queue + 1), settings.timeout, "records"),
        claims=Attempts(settings.attempts),
        near_misses=Attempts(settings.near_misses),
    )


class Visit:
    """One request by one caller: what routes ask for instead of looking into the request themselves.

    Attributes:
        desk: the running parts.
        caller: who asks.
        request_id: names the request in logs, audit and problems.
    """

    def __init__(self, desk: Desk, caller: Caller, request_id: str) -> None:
        self.desk, self.caller, self.request_id = desk, caller, request_id

    @property
    def recognizer(self) -> Recognizer:
        return _loaded(self.desk.recognizer)

    @property
    def shelf(self) -> Shelf:
        return _loaded(self.desk.shelf)

    def allow(self, action: Action, gallery: str | None = None) -> None:
        """Raise unless the caller may; what is refused is noted in the audit trail."""
        try:
            self.caller.require(action, gallery)
        except PermissionError:
            self.note("refused", outcome="not-allowed", gallery=gallery or "")
            raise

    @property
    def exact(self) -> bool:
        """Whether the caller may have embeddings, and so the numbers from which they could be rebuilt."""
        return self.desk.settings.embeddings and self.caller.may("rule")

    def disclosure(self, gallery: str) -> Disclosure:
        """What this caller is told about a gallery."""
        return Disclosure(
            exact=self.exact,
            who=(self.caller.key_id, gallery),
            near_misses=self.desk.near_misses,
            refuse_replays=self.desk.settings.replays == "refuse",
        )

    def claim(self, gallery: str, person_id: str) -> Callable[[], None]:
        """Count an attempt at a claim; the answer takes it back.

        Raises:
            RateLimitedError: this caller had too many refused claims of that person.
        """
        if self.exact:
            return lambda: None
        who = (self.caller.key_id, gallery, person_id)
        self.desk.claims.claim(who)
        return lambda: self.desk.claims.give_back(who)

    def note(
        self,
        action: str,
        *,
        outcome: str = "done",
        gallery: str = "",
        person_id: str = "",
        counts: dict[str, int] | None = None,
    ) -> None:
        """One line in the audit trail."""
        self.desk.audit.note(
            action,
            request_id=self.request_id,
            key=self.caller.key_id,
            outcome=outcome,
            gallery=gallery,
            person_id=person_id,
            counts=counts,
        )


async def read_photos(request: Request, ask: Visit, form: type[Form]) -> Form:
    """`read_form` for requests that carry photos: when there is no room for their work, they are not read at all.

    Raises:
        OverloadedError: no room; the body was taken off the line unread, so that the client sees this answer and not a reset.
    """
    try:
        ask.desk.photos.check_room()
    except OverloadedError:
        async for _ in request.stream():
            pass
        raise
    return await read_form(request, form)


def _loaded(part: Part | None) -> Part:
    if part is None:
        raise OverloadedError(
            expected="a service that is ready", got="one that is starting", advice="try again in a few seconds"
        )
    return part


async def visit(request: Request) -> Visit:
    """Who asks, from the ``Authorization`` or ``X-API-Key`` header; counted against their rate.

    Raises:
        NotAuthenticatedError, RateLimitedError: no valid key; too many requests.
    """
    desk: Desk = request.app.state.desk
    address = request.client.host if request.client else ""
    if desk.keys is None:
        caller = OPEN_DOOR
        desk.rate.take(address)
    else:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()
        try:
            if not key:
                raise NotAuthenticatedError(expected="a key", got="none", advice="send `Authorization: Bearer <key>`")
            caller = desk.keys.caller(key)
        except NotAuthenticatedError:
            desk.rate.take(f"unknown {address}")
            raise
        desk.rate.take(caller.key_id)
    request.state.key_id = caller.key_id or "-"
    return Visit(desk, caller, request.state.request_id)


Asks = Annotated[Visit, Depends(visit)]

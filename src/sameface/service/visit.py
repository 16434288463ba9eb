"""One request by one caller: who asks, what they may do, and what is recorded of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from sameface.errors import NotAuthenticatedError, OverloadedError, RateLimitedError, SamefaceError, kind_of
from sameface.imaging import Limits
from sameface.imaging.formats import size_of_picture
from sameface.recognizer import Recognizer
from sameface.service.desk import Desk
from sameface.service.disclosure import Disclosure
from sameface.service.intake import Form, Photo, read_form
from sameface.service.keys import OPEN_DOOR, Action, Caller
from sameface.service.oidc import is_token
from sameface.service.settings import Settings
from sameface.service.shelf import Shelf

Answer = TypeVar("Answer")
Part = TypeVar("Part")

#: What the audit trail calls a route that does not note itself, by the name of its function.
_ACTIONS: Final = {
    "people": "list people",
    "person": "see person",
    "photos": "see photos",
    "gallery": "see gallery",
    "verify_claim": "claim",
    "forget_photo": "forget photo",
    "create_gallery": "create gallery",
    "delete_gallery": "delete gallery",
    "lift_hold": "lift hold",
    "jobs": "list jobs",
    "job": "see job",
    "end_job": "end job",
    "begin_job": "begin job",
    "missing_photos": "see job",
    "enroll_part": "enroll",
    "set_retention": "set retention",
    "retention": "see retention",
    "ending": "see who ends",
}


class Visit:
    """One request by one caller: what routes ask for instead of looking into the request themselves.

    Attributes:
        desk: the running parts.
        caller: who asks.
        request_id: names the request in logs, audit and problems.
        address: of the client.
        pixels: of the photos that came with the request.
    """

    def __init__(self, desk: Desk, caller: Caller, request_id: str, address: str, route: str) -> None:
        self.desk, self.caller, self.request_id, self.address = desk, caller, request_id, address
        self._action = _ACTIONS.get(route, route)
        self.pixels = 0
        self._gallery, self._noted = "", False

    @property
    def recognizer(self) -> Recognizer:
        return _loaded(self.desk.recognizer)

    @property
    def shelf(self) -> Shelf:
        return _loaded(self.desk.shelf)

    def allow(self, action: Action, gallery: str | None = None) -> None:
        """Raise unless the caller may."""
        self._gallery = gallery or self._gallery
        self.caller.require(action, gallery)

    async def on_photos(self, work: Callable[[], Answer]) -> Answer:
        """Work on the photos of this request, in a thread for photos, when their pixels fit beside those of others.

        Raises:
            OverloadedError, RequestTimeoutError: no room; not done in time.
        """

        def within() -> Answer:
            with self.desk.pixels.hold(self.pixels):
                return work()

        return await self.desk.photos.run(within)

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
        self._noted = True
        self.desk.audit.note(
            action,
            request_id=self.request_id,
            key=self.caller.key_id,
            outcome=outcome,
            gallery=gallery,
            person_id=person_id,
            address=self.address,
            counts=counts,
        )

    def note_end(self) -> None:
        """The request was answered: what touched a gallery and did not note itself is noted now."""
        if not self._noted and self._gallery:
            self.note(self._action, gallery=self._gallery)

    def note_fault(self, outcome: str) -> None:
        """The request failed; refusals of one caller are noted now and then only."""
        if self._noted or not _noteworthy(self.desk, self.caller.key_id or self.address, outcome):
            return
        self.note(self._action, outcome=outcome, gallery=self._gallery)


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
    read = await read_form(request, form)
    ask.pixels = await asyncio.to_thread(_pixels_of, read, ask.desk.settings)
    return read


def _pixels_of(form: BaseModel, settings: Settings) -> int:
    """How many pixels the photos of a request have at once: of a list, one after the other is decoded. Faulty ones count nothing."""
    limits = Limits(settings.max_photo, settings.max_pixels, settings.formats)

    def one(value: object) -> int:
        if isinstance(value, list):
            return max((one(item) for item in value), default=0)
        if not isinstance(value, Photo):
            return 0
        try:
            width, height = size_of_picture(value.data, limits)
        except SamefaceError:
            return 0
        return width * height

    return sum(one(value) for _, value in form)


def _loaded(part: Part | None) -> Part:
    if part is None:
        raise OverloadedError(
            expected="a service that is ready", got="one that is starting", advice="try again in a few seconds"
        )
    return part


def _noteworthy(desk: Desk, who: str, outcome: str) -> bool:
    if outcome not in ("not-authenticated", "not-allowed", "rate-limited", "overloaded", "malformed-request"):
        return True
    try:
        desk.refusals.take(who)
    except RateLimitedError:
        return False
    return True


async def visit(request: Request) -> AsyncGenerator[Visit]:
    """Who asks, from the ``Authorization`` or ``X-API-Key`` header, by a key or a token; counted against their rate.

    Raises:
        NotAuthenticatedError, RateLimitedError: no valid key; too many requests.
        StorageFullError: the audit trail has no room.
    """
    desk: Desk = request.app.state.desk
    address = request.client.host if request.client else ""
    desk.audit.check_room()
    caller = Caller("", "read", ())
    route = str(getattr(request.scope.get("route"), "name", ""))
    try:
        caller = await _caller(request, desk, address)
        desk.rate.take(caller.key_id or address, caller.rate, caller.burst)
    except SamefaceError as error:
        Visit(desk, caller, request.state.request_id, address, route).note_fault(kind_of(type(error)))
        raise
    request.state.key_id = caller.key_id or "-"
    ask = Visit(desk, caller, request.state.request_id, address, route)
    try:
        yield ask
    except SamefaceError as error:
        ask.note_fault(kind_of(type(error)))
        raise
    except BaseException as error:
        ask.note_fault("client-gone" if type(error).__name__ == "CancelledError" else "fault")
        raise
    ask.note_end()


async def _caller(request: Request, desk: Desk, address: str) -> Caller:
    if not desk.settings.asks_who:
        return OPEN_DOOR
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()
    try:
        if not key:
            raise NotAuthenticatedError(
                expected="a key or a token",
                got="an `Authorization` header without the word Bearer" if scheme else "none",
                advice="send `Authorization: Bearer <key>`",
            )
        if desk.oidc is not None and is_token(key):  # in a thread: it may have to ask the provider
            return await asyncio.to_thread(desk.oidc.caller, key)
        if desk.keys is None:
            raise NotAuthenticatedError(expected="a token", got="something else", advice="sign in at the provider")
        caller = desk.keys.caller(key)
    except NotAuthenticatedError:
        desk.rate.take(f"unknown {address}")
        raise
    if desk.key_use is not None:
        desk.key_use.note(caller.key_id)
    return caller


Asks = Annotated[Visit, Depends(visit)]

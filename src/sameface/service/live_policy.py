"""Whether a photo comes from somebody who was there: what the policy off, warn or require makes of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fastapi import Response

from sameface.errors import LivenessRequiredError, NothingHereError, SamefaceError
from sameface.faces.choose import Choice
from sameface.imaging import open_photo
from sameface.matching import distance, is_same
from sameface.recognizer.live import LiveSession
from sameface.service.intake import Photo
from sameface.service.visit import Visit

Shown = Literal["not-asked", "passed", "missing", "not-passed", "other-face"]
#: Where an answer says what was shown.
HEADER = "Sameface-Liveness"


def shown_live(
    ask: Visit, session: str | None, photos: Sequence[Photo], choose: Choice, *, enrolling: bool = False
) -> Shown:
    """What a request shows of liveness. Its session is used up by this, whatever comes of it. To be called in a thread for photos.

    Args:
        ask: who asks.
        session: the id that came with the request.
        photos: each must show the session's face.
        choose: which face of a photo.
        enrolling: then no session need come, whatever the policy; one that comes must hold.

    Raises:
        LivenessRequiredError: the policy requires a passed session with this face, and there is none.
    """
    policy = ask.desk.settings.liveness
    if policy == "off" and session is None:
        return "not-asked"
    shown = "missing" if session is None else _shown(ask, session, photos, choose)
    if policy == "require" and shown != "passed" and not (enrolling and session is None):
        raise _required(
            {"missing": "no session", "not-passed": "one that is over, or has not passed"}.get(shown, "another face")
        )
    return shown


def refuse_many(ask: Visit) -> None:
    """Many photos at once come from nobody who is there.

    Raises:
        LivenessRequiredError: the policy requires liveness.
    """
    if ask.desk.settings.liveness == "require":
        raise _required("many photos at once")


def _required(got: str) -> LivenessRequiredError:
    return LivenessRequiredError(
        expected="a session of liveness that passed, with the face of this photo",
        got=got,
        advice="begin one with POST /v1/liveness, and send its id as `liveness` within a minute",
    )


def live_count(response: Response) -> dict[str, int]:
    """For the audit: whether a passed session came with the request; nothing where none was asked for."""
    shown = response.headers.get(HEADER, "not-asked")
    return {} if shown == "not-asked" else {"live": int(shown == "passed")}


def _shown(ask: Visit, session: str, photos: Sequence[Photo], choose: Choice) -> Shown:
    recognizer = ask.recognizer
    try:
        live = LiveSession.again(ask.desk.live.take(session, ask.caller.key_id), recognizer)
    except NothingHereError:
        return "not-passed"
    face = live.embedding
    if not live.result.passed or face is None:
        return "not-passed"
    for photo in photos:
        try:
            opened = open_photo(photo.data, limits=recognizer.limits)
            probe = recognizer.encode_photo(opened, choose).embedding
        except SamefaceError:
            return "other-face"
        if not is_same(distance(probe, face), recognizer.operating_point.threshold):
            return "other-face"
    return "passed"

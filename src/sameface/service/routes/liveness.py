"""Sessions of liveness: begun, fed with frames, asked for their result."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from sameface.liveness.session import Prompt
from sameface.recognizer.live import LiveSession
from sameface.service.intake import body_of, read_form
from sameface.service.live_sessions import Kept
from sameface.service.routes.photos import SAMPLE
from sameface.service.schemas import LiveAnswer, LiveForm, LivePrompt, LiveStarted, Movement, PhotoForm
from sameface.service.visit import Asks, Visit, read_photos

router = APIRouter(tags=["liveness"])

SessionId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"])]


@router.post("/liveness", status_code=201, openapi_extra=body_of(LiveForm, {"moved_by": "head"}))
async def begin_liveness(request: Request, ask: Asks) -> LiveStarted:
    """Begin a session: a few movements that nobody knows before are asked for, one after the other.

    Its id is used once: as `liveness` of an identify, a claim or an enrolment, within a minute after it passed.
    """
    ask.allow("ask")
    form = await read_form(request, LiveForm)
    settings = ask.desk.settings

    def work() -> LiveStarted:
        session = LiveSession(
            ask.recognizer,
            steps=form.steps,
            moved_by=form.moved_by,
            leave_out=form.leave_out,
            least_passive=settings.least_passive,
        )
        name = ask.desk.live.begin(ask.caller.key_id, session.state)
        return LiveStarted(session=name, seconds=session.rules.seconds, prompt=_told(session.prompt))

    answer = await ask.desk.records.run(work)
    ask.note("begin liveness")
    return answer


@router.post("/liveness/{session}/frames", openapi_extra=body_of(PhotoForm, {"photo": SAMPLE}))
async def look(session: SessionId, request: Request, ask: Asks) -> LivePrompt:
    """Look at one frame, and say what to do now. Frames count by the time when they come; some five a second are right."""
    ask.allow("ask")
    form = await read_photos(request, ask, PhotoForm)

    def work() -> LivePrompt:
        with ask.desk.live.held(session, ask.caller.key_id) as kept:
            live = _again(ask, kept)
            prompt = live.see(form.photo.data)
            kept.state = live.state
            return _told(prompt)

    answer = await ask.on_photos(work)
    if answer.phase in ("passed", "failed"):
        ask.note("liveness", outcome=answer.phase if answer.phase == "passed" else f"failed: {answer.reason}")
    return answer


@router.get("/liveness/{session}")
async def liveness_result(session: SessionId, ask: Asks) -> LiveAnswer:
    """How a session stands: the movements that were made, and whether it passed. Does not use it up."""
    ask.allow("ask")

    def work() -> LiveAnswer:
        with ask.desk.live.held(session, ask.caller.key_id) as kept:
            live = _again(ask, kept)
            found = live.result
            return LiveAnswer(
                over=live.over,
                passed=found.passed,
                reason=found.reason,
                made=[Movement(action=item.action, after=item.after) for item in found.made],
                frames=found.frames,
                seconds=found.seconds,
                chance=found.chance,
            )

    return await ask.desk.records.run(work)


def _again(ask: Visit, kept: Kept) -> LiveSession:
    settings = ask.desk.settings
    passive = ask.desk.passive if settings.least_passive else None
    return LiveSession.again(kept.state, ask.recognizer, passive=passive, least_passive=settings.least_passive)


def _told(prompt: Prompt) -> LivePrompt:
    return LivePrompt(
        phase=prompt.phase,
        action=prompt.action,
        words=prompt.words,
        hint=prompt.hint,
        done=prompt.done,
        steps=prompt.steps,
        share=prompt.share,
        reason=prompt.reason,
    )

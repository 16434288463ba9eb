"""Bulk enrolment: a job takes photos in parts, says how far it is, and goes on after a restart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from sameface.errors import EnrollmentRefusedError, FaceError, ImageError, PersonNotFoundError, SamefaceError, kind_of
from sameface.imaging.sources import sha256_of_bytes
from sameface.recognizer.review import Review
from sameface.recognizer.wire import Enrollment, Person, PhotoReport
from sameface.service.intake import Photo, body_of, read_form
from sameface.service.jobs import JobState, Outcome, missing
from sameface.service.live_policy import shown_live
from sameface.service.policy import reviewed
from sameface.service.routes.galleries import GalleryName
from sameface.service.routes.people import require_few
from sameface.service.routes.photos import SAMPLE
from sameface.service.schemas import Digests, DigestsForm, EnrollForm, Job, JobForm, Jobs
from sameface.service.visit import Asks, Visit, read_photos

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["0123456789abcdef"])]


@router.post("/galleries/{gallery}/jobs", status_code=201, openapi_extra=body_of(JobForm, {"photos": 1000}))
async def begin_job(gallery: GalleryName, request: Request, ask: Asks) -> Job:
    """Begin a bulk enrolment."""
    ask.allow("write", gallery)
    form = await read_form(request, JobForm)

    def work() -> Job:
        _ = ask.shelf.get(gallery)
        return _shown(ask.desk.jobs.begin(gallery, form.photos))

    answer = await ask.desk.records.run(work)
    ask.note("begin job", gallery=gallery, counts={"photos": form.photos})
    return answer


@router.get("/galleries/{gallery}/jobs")
async def jobs(gallery: GalleryName, ask: Asks) -> Jobs:
    """Every job of a gallery."""
    ask.allow("write", gallery)

    def work() -> Jobs:
        _ = ask.shelf.get(gallery)
        held = ask.desk.jobs
        return Jobs(jobs=[_shown(held.state(gallery, job_id)) for job_id in held.ids(gallery)])

    return await ask.desk.records.run(work)


@router.get("/galleries/{gallery}/jobs/{job_id}")
async def job(gallery: GalleryName, job_id: JobId, ask: Asks) -> Job:
    """How far a job is."""
    ask.allow("write", gallery)
    return await ask.desk.records.run(lambda: _shown(ask.desk.jobs.state(gallery, job_id)))


@router.delete("/galleries/{gallery}/jobs/{job_id}")
async def end_job(gallery: GalleryName, job_id: JobId, ask: Asks) -> Job:
    """Take a job away; who was enrolled stays. Says how far it was."""
    ask.allow("write", gallery)

    def work() -> Job:
        state = ask.desk.jobs.state(gallery, job_id)
        ask.desk.jobs.remove(gallery, job_id)
        return _shown(state)

    return await ask.desk.records.run(work)


@router.post("/galleries/{gallery}/jobs/{job_id}/missing", openapi_extra=body_of(DigestsForm, {"sha256": ["ab" * 32]}))
async def missing_photos(gallery: GalleryName, job_id: JobId, request: Request, ask: Asks) -> Digests:
    """Which photos, by the sha256 of their bytes, are still to be sent."""
    ask.allow("write", gallery)
    form = await read_form(request, DigestsForm)

    def work() -> Digests:
        return Digests(sha256=missing(ask.desk.jobs.state(gallery, job_id), form.sha256))

    return await ask.desk.records.run(work)


@router.post(
    "/galleries/{gallery}/jobs/{job_id}/people", openapi_extra=body_of(EnrollForm, {"name": "Ada", "photos": [SAMPLE]})
)
async def enroll_part(gallery: GalleryName, job_id: JobId, request: Request, ask: Asks) -> Enrollment:
    """Enroll a part of a job: one person's photos. What is done already is not done again, and reported as it was then."""
    ask.allow("write", gallery)
    form = await read_photos(request, ask, EnrollForm)
    require_few(form.photos, ask)
    review = reviewed(form.review, ask.desk.settings.review)

    def work() -> Enrollment:
        state = ask.desk.jobs.state(gallery, job_id)
        shown_live(ask, form.liveness, form.photos, form.choose, enrolling=True)
        digests = [sha256_of_bytes(photo.data) for photo in form.photos]
        new = {
            digest: photo for digest, photo in zip(digests, form.photos, strict=True) if digest not in state.outcomes
        }
        done = _enrolled(ask, gallery, job_id, form, new, review) if new else None
        state = ask.desk.jobs.state(gallery, job_id)
        fresh = {} if done is None else dict(zip(new, done.reports, strict=True))
        person = done.person if done is not None else _known(ask, gallery, form.name)
        reports = tuple(
            fresh.get(digest) or _report(photo.name, state.outcomes[digest])
            for digest, photo in zip(digests, form.photos, strict=True)
        )
        return Enrollment(name=form.name, person=person, accepted=done.accepted if done else 0, reports=reports)

    answer = await ask.on_photos(work)
    ask.note(
        "enroll",
        gallery=gallery,
        person_id=answer.person.person_id if answer.person else "",
        counts={"photos": len(form.photos), "accepted": answer.accepted},
    )
    return answer


def _enrolled(
    ask: Visit, gallery: str, job_id: str, form: EnrollForm, new: dict[str, Photo], review: Review
) -> Enrollment:
    """Enroll what is new, and write down what became of it; a refusal is written down too, and raised."""
    told = ask.disclosure(gallery)
    try:
        done = ask.shelf.get(gallery).enroll(
            form.name,
            [photo.data for photo in new.values()],
            details=form.details,
            groups=form.groups,
            consent=None if form.consent is None else form.consent.value(),
            keep_until=form.keep_until or "",
            choose=form.choose,
            review=review,
        )
    except EnrollmentRefusedError as error:
        reasons = [report.reason for report in error.reports]
        ask.desk.jobs.note(
            gallery, job_id, [Outcome(digest, False, why) for digest, why in zip(new, reasons, strict=True)]
        )
        raise told.refusal(error) from None
    except (FaceError, ImageError) as error:  # of the one photo
        ask.desk.jobs.note(gallery, job_id, [Outcome(digest, False, _word(error)) for digest in new])
        raise
    answer = told.enrolled(done).to_wire(tuple(photo.name for photo in new.values()))
    outcomes = [
        Outcome(digest, report.accepted, report.reason, done.person.person_id)
        for digest, report in zip(new, done.reports, strict=True)
    ]
    ask.desk.jobs.note(gallery, job_id, outcomes)
    return answer


def _word(error: SamefaceError) -> str:
    return kind_of(type(error)).replace("-", " ")


def _known(ask: Visit, gallery: str, name: str) -> Person | None:
    try:
        return ask.shelf.get(gallery).person(name)
    except PersonNotFoundError:
        return None


def _report(photo: str, outcome: Outcome) -> PhotoReport:
    return PhotoReport(
        photo=photo,
        accepted=outcome.accepted,
        reason=outcome.reason,
        detail="done before",
        looks_like=None,
        quality=None,
        box=None,
    )


def _shown(state: JobState) -> Job:
    accepted = sum(outcome.accepted for outcome in state.outcomes.values())
    reasons: dict[str, int] = {}
    for outcome in state.outcomes.values():
        reasons[outcome.reason] = reasons.get(outcome.reason, 0) + 1
    return Job(
        job_id=state.job_id,
        created=state.head.created,
        photos=state.head.photos,
        done=len(state.outcomes),
        accepted=accepted,
        reasons=reasons,
    )

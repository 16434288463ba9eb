"""Bulk enrolment in parts, over restarts of the service and of whoever sends."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal

import pytest

from sameface.client import Client
from sameface.errors import NothingHereError, SettingError, StorageFullError
from sameface.service.jobs import JobFolder, Outcome, missing
from tests.service.test_client import ToTheApp


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_job_remembers(tmp_path):
    jobs = JobFolder(tmp_path / "jobs")
    begun = jobs.begin("people", 3)
    assert (begun.head.photos, begun.outcomes) == (3, {})
    one, two = Outcome("11" * 32, True, "accepted", "ab" * 16), Outcome("22" * 32, False, "no face")
    jobs.note("people", begun.job_id, [one])
    JobFolder(tmp_path / "jobs").note("people", begun.job_id, [two])
    state = JobFolder(tmp_path / "jobs").state("people", begun.job_id)
    assert state.outcomes == {one.sha256: one, two.sha256: two}
    assert missing(state, ["33" * 32, one.sha256, "44" * 32]) == ["33" * 32, "44" * 32]
    assert jobs.ids("people") == [begun.job_id]
    assert jobs.ids("others") == []
    for wrong in ("0" * 16, "../../etc", "", begun.job_id.upper()):
        with pytest.raises(NothingHereError):
            jobs.state("people", wrong)
    jobs.remove_all("people")
    assert jobs.ids("people") == []
    with pytest.raises(NothingHereError):
        jobs.note("people", begun.job_id, [one])


def test_a_line_that_a_kill_cut_short_is_asked_for_again(tmp_path):
    jobs = JobFolder(tmp_path)
    job_id = jobs.begin("people", 2).job_id
    one, two = Outcome("11" * 32, True, "accepted"), Outcome("22" * 32, True, "accepted")
    jobs.note("people", job_id, [one, two])
    file = tmp_path / "people" / f"{job_id}.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert list(jobs.state("people", job_id).outcomes) == [one.sha256]
    jobs.note("people", job_id, [two])
    assert list(jobs.state("people", job_id).outcomes) == [one.sha256, two.sha256]


def test_nobody_is_named_in_a_job(api, photos, tmp_path):
    with Client("http://127.0.0.1", transport=ToTheApp(api), retries=0) as client:
        gallery = client.gallery("people")
        job_id = gallery.begin_job(1)["job_id"]
        folder = tmp_path / "staff" / "Barack Obama"
        folder.mkdir(parents=True)
        shutil.copy(photos / "obama.jpg", folder)
        assert [done.accepted for done in gallery.enroll_folder(tmp_path / "staff", job=job_id)] == [1]
    (file,) = (tmp_path / "galleries" / "jobs" / "people").iterdir()
    assert "Obama" not in file.read_text()
    assert "obama" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_what_is_done_is_not_done_again(api, photo):
    job = api.post("/v1/galleries/people/jobs", json={"photos": 3}).json()
    base = f"/v1/galleries/people/jobs/{job['job_id']}"
    files = [("photos", (name, photo(name), "image/jpeg")) for name in ("obama.jpg", "biden.jpg")]
    first = api.post(f"{base}/people", data={"name": "Obama"}, files=files)
    assert first.status_code == 200
    assert [report["accepted"] for report in first.json()["reports"]] == [True, False]
    again = api.post(f"{base}/people", data={"name": "Obama"}, files=files).json()
    assert again["accepted"] == 0
    assert [(r["photo"], r["accepted"], r["detail"]) for r in again["reports"]] == [
        ("obama.jpg", True, "done before"),
        ("biden.jpg", False, "done before"),
    ]
    assert again["person"]["photos"] == 1
    refused = api.post(f"{base}/people", data={"name": "Nobody"}, files=[("photos", b"no picture")])
    assert refused.status_code == 415
    shown = api.get(base).json()
    assert (shown["photos"], shown["done"], shown["accepted"]) == (3, 3, 1)
    assert shown["reasons"]["not an image"] == 1
    asked = [digest(photo("obama.jpg")), digest(b"no picture"), "33" * 32]
    assert api.post(f"{base}/missing", json={"sha256": asked}).json() == {"sha256": ["33" * 32]}
    assert [one["job_id"] for one in api.get("/v1/galleries/people/jobs").json()["jobs"]] == [job["job_id"]]
    assert api.delete(base).json()["done"] == 3
    assert api.get(base).status_code == 404


def test_jobs_go_with_their_gallery(api, tmp_path):
    api.post("/v1/galleries/people/jobs", json={"photos": 3})
    api.delete("/v1/galleries/people")
    assert list((tmp_path / "galleries" / "jobs" / "people").iterdir()) == []
    assert api.post("/v1/galleries/people/jobs", json={"photos": 3}).status_code == 404


def test_galleries_in_a_database_need_a_folder():
    with pytest.raises(SettingError):
        JobFolder(None).begin("people", 1)
    JobFolder(None).remove_all("people")


def test_it_goes_on_after_a_kill_of_the_service(program, photos, tmp_path):
    staff = tmp_path / "staff"
    for name, file in (("Obama", "obama.jpg"), ("Biden", "biden.jpg"), ("Grace", "grace_hopper.jpg")):
        (staff / name).mkdir(parents=True)
        shutil.copy(photos / file, staff / name)
    running = program()
    with Client(running.url) as client:
        gallery = client.gallery("people")
        job_id = gallery.begin_job(3)["job_id"]
        sending = gallery.enroll_folder(staff, job=job_id, at_once=1)
        first = next(sending)
        sending.close()
    running.stop(signal.SIGKILL)
    again = program(folder=tmp_path / "galleries")
    with Client(again.url) as client:
        gallery = client.gallery("people")
        assert gallery.job(job_id)["done"] == 1
        rest = list(gallery.enroll_folder(staff, job=job_id, at_once=1))
        assert {first.name, *(done.name for done in rest)} == {"Biden", "Grace", "Obama"}
        assert len(rest) == 2
        assert gallery.job(job_id)["done"] == gallery.job(job_id)["photos"] == 3
        assert gallery.end_job(job_id)["accepted"] == len(gallery)


def test_a_full_disk_is_said_and_leaves_the_job_readable(tmp_path, monkeypatch):
    jobs = JobFolder(tmp_path)
    job = jobs.begin("people", 2)
    jobs.note("people", job.job_id, [Outcome("a" * 64, True, "", "1")])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFullError, match="send them again"):
        jobs.note("people", job.job_id, [Outcome("b" * 64, True, "", "2")])
    assert "a" * 64 in jobs.state("people", job.job_id).outcomes

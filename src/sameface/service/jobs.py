"""Bulk enrolment in parts: a job remembers what became of each photo, so that it goes on after a restart of either side.

Photos never touch the disk: who sends them asks which are missing, and sends those. A job is a file of lines, one for each photo: its digest,
what became of it and whose it is now; no name, no path. Lines are written when the person is stored; what a kill cuts off is asked for again.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from sameface import file_locks
from sameface.errors import NothingHereError, SettingError
from sameface.files import writing
from sameface.gallery import now
from sameface.plain import known

_ID: Final = re.compile(r"[0-9a-f]{16}\Z")
#: Jobs that one gallery has at a time.
_MOST: Final = 1000


class Head(msgspec.Struct, frozen=True):
    """The first line of a job's file.

    Attributes:
        photos: how many there will be, as far as who began it knows.
        created: UTC, ISO 8601.
    """

    photos: int
    created: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of a photo: every other line.

    Attributes:
        sha256: of its bytes, hex.
        accepted: whether it is stored.
        reason: as in a report.
        person_id: whose, "" when it is nobody's.
    """

    sha256: str
    accepted: bool
    reason: str
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as of now.

    Attributes:
        job_id: 16 hex digits.
        outcomes: by digest.
    """

    job_id: str
    head: Head
    outcomes: dict[str, Outcome]


class JobFolder:
    """The jobs of a service. Several processes may share the folder.

    Args:
        folder: where files of jobs lie; None where the service has none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def begin(self, gallery: str, photos: int) -> JobState:
        """A new job. Raises SettingError: too many of them, or no folder for them."""
        if len(self.ids(gallery)) >= _MOST:
            raise SettingError(
                expected=f"at most {_MOST} jobs of a gallery", got="one more", advice="remove those that are done"
            )
        job_id, head = secrets.token_hex(8), Head(photos, now())
        folder = self._place(gallery)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self._file(gallery, job_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(head) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return JobState(job_id, head, {})

    def ids(self, gallery: str) -> list[str]:
        """Every job of a gallery, sorted."""
        return sorted(path.stem for path in self._place(gallery).glob("*.jsonl") if _ID.match(path.stem))

    def state(self, gallery: str, job_id: str) -> JobState:
        """One job. Raises NothingHereError."""
        try:
            with self._file(gallery, job_id).open("rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            raise _no_job(job_id) from None
        head = msgspec.json.decode(lines[0], type=known(Head))
        # The last piece is empty, or a line that a kill cut short; one is followed by others when the next writer ended it.
        return JobState(job_id, head, {one.sha256: one for one in map(_outcome, lines[1:-1]) if one is not None})

    def note(self, gallery: str, job_id: str, outcomes: Iterable[Outcome]) -> None:
        """Add lines, durably. Raises NothingHereError, StorageFullError."""
        body = b"".join(msgspec.json.encode(outcome) + b"\n" for outcome in outcomes)
        try:
            descriptor = os.open(self._file(gallery, job_id), os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            raise _no_job(job_id) from None
        path = self._file(gallery, job_id)
        with (
            writing(path, "what became of these photos is not noted; send them again"),
            os.fdopen(descriptor, "r+b") as file,
        ):
            file_locks.lock(file)
            file.write(body if _ends_well(file) else b"\n" + body)
            file.flush()
            os.fsync(file.fileno())

    def remove(self, gallery: str, job_id: str) -> None:
        """Take a job away."""
        self._file(gallery, job_id).unlink(missing_ok=True)

    def remove_all(self, gallery: str) -> None:
        """Take away all of a gallery that is gone."""
        for job_id in self.ids(gallery) if self._folder is not None else ():
            self.remove(gallery, job_id)

    def _place(self, gallery: str) -> Path:
        if self._folder is None:
            raise SettingError(
                expected="a service with a folder for jobs",
                got="galleries in a database, and none given",
                advice="start it with --jobs FOLDER, which all its hosts share",
            )
        return self._folder / gallery

    def _file(self, gallery: str, job_id: str) -> Path:
        if not _ID.match(job_id):
            raise _no_job(job_id)
        return self._place(gallery) / f"{job_id}.jsonl"


def missing(state: JobState, digests: Sequence[str]) -> list[str]:
    """Those of some digests that nothing became of yet, in their order."""
    return [digest for digest in digests if digest not in state.outcomes]


def _outcome(line: bytes) -> Outcome | None:
    try:
        return msgspec.json.decode(line, type=known(Outcome))
    except msgspec.DecodeError:
        return None


def _ends_well(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _no_job(job_id: str) -> NothingHereError:
    return NothingHereError(
        expected="a job of this gallery", got=repr(job_id)[:60], advice="see the list, or begin one"
    )

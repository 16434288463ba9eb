"""Who did what when, one JSON line each: without names, photos, embeddings or distances.

Each line holds the digest of the line before it, so that a line which was changed, taken out or put in shows (`check_trail`). Whoever can write
the file could write all of it anew; the digest of the last line, kept elsewhere from time to time, shows that too.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from sameface import file_locks
from sameface.errors import StorageFullError

log = logging.getLogger("sameface.service")

#: Longer than any line.
_TAIL: Final = 16_384
#: Lines kept in memory while the disk is full; nothing new is answered meanwhile.
_PENDING: Final = 10_000


class AuditTrail:
    """Appends to a file that several processes may share.

    What cannot be written is kept and written later; meanwhile `check_room` refuses further work, so that nothing happens unrecorded.

    Args:
        path: the file, made with mode 0600 by `open` or with the first line; None writes nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._pending: deque[dict[str, object]] = deque(maxlen=_PENDING)
        self._path = path
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Make the file now, and its folder. Raises OSError."""
        if self._path is not None and self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _opened(self._path)

    def note(
        self,
        action: str,
        *,
        request_id: str,
        key: str,
        outcome: str = "done",
        gallery: str = "",
        person_id: str = "",
        address: str = "",
        counts: dict[str, int] | None = None,
    ) -> None:
        """Write one line.

        Args:
            action: for instance ``enroll``, ``identify``, ``forget``, ``list people``.
            key: id of the key that asked, "" without keys.
            outcome: ``done``, or the kind of the error.
            person_id: whose record was touched; for `identify` nobody's, so that the trail never says who was seen.
            address: of the client.
            counts: for instance ``{"photos": 2}``.
        """
        if self._path is None:
            return
        entry: dict[str, object] = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": request_id,
            "key": key,
            "address": address,
            "action": action,
            "gallery": gallery,
            "person_id": person_id,
            "outcome": outcome,
            **(counts or {}),
        }
        with self._lock:
            self._pending.append(entry)
            self._write_pending(request_id)

    def check_room(self) -> None:
        """Raise while lines wait to be written.

        Raises:
            StorageFullError: the disk is still full, or the file cannot be written.
        """
        if not self._pending:
            return
        with self._lock:
            self._write_pending("")
            if self._pending:
                raise StorageFullError(
                    expected="room for the audit trail",
                    got="a disk that does not take it",
                    advice="free some space; nothing is answered unrecorded",
                )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._pending:
                self._write_pending("")
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write_pending(self, request_id: str) -> None:
        assert self._path is not None
        try:
            self.open()
            assert self._file is not None
            if not _is_at(self._path, self._file):  # rotated by somebody: go on in a new file
                self._file.close()
                self._file = _opened(self._path)
            file_locks.lock(self._file)
            try:
                while self._pending:
                    _append(self._file, self._pending[0])
                    self._pending.popleft()
            finally:
                file_locks.unlock(self._file)
        except OSError as error:
            log.error("request %s: the audit trail cannot be written: %s", request_id, error.strerror or error)


@dataclass(frozen=True, slots=True)
class Trail:
    """What a check of an audit trail found.

    Attributes:
        lines: how many there are. broken_at: the first that does not follow from the one before it, from 1; None: every line does.
        head: digest of the last line, to be kept elsewhere.
    """

    lines: int
    broken_at: int | None
    head: str


def check_trail(path: Path) -> Trail:
    """Read an audit trail whole, and follow its digests. Raises OSError where the file cannot be read."""
    lines, broken_at, before = 0, None, ""
    with path.open("rb") as file:
        for lines, line in enumerate(file, start=1):
            try:
                previous = msgspec.json.decode(line).get("prev")
            except (msgspec.DecodeError, AttributeError):
                previous = None
            if broken_at is None and previous != before:
                broken_at = lines
            before = _digest(line)
    return Trail(lines, broken_at, before)


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b", buffering=0)


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        there, here = path.stat(), os.fstat(file.fileno())
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _append(file: BinaryIO, entry: dict[str, object]) -> None:
    """One line more, whole or not at all; the file is locked."""
    end = os.fstat(file.fileno()).st_size
    file.seek(max(0, end - _TAIL))
    tail = file.read(_TAIL)  # what is written goes to the end, wherever this stands
    if tail and not tail.endswith(b"\n"):  # a line that a kill cut short: it stays to be seen
        tail += b"\n"
        os.write(file.fileno(), b"\n")
    last = tail.rstrip(b"\n").rpartition(b"\n")[2]
    line = msgspec.json.encode({**entry, "prev": _digest(last) if last else ""}) + b"\n"
    try:
        if os.write(file.fileno(), line) < len(line):
            raise OSError(28, "no room for a whole line")
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), end)
        raise


def _digest(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()

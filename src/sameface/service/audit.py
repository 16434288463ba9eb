"""Who did what when, one JSON line each: without names, photos, embeddings or distances."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec


class AuditTrail:
    """Appends to a file; several processes may share it, since each line is one write.

    Args:
        path: the file, made with mode 0600; None writes nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def note(
        self,
        action: str,
        *,
        request_id: str,
        key: str,
        outcome: str = "done",
        gallery: str = "",
        person_id: str = "",
        counts: dict[str, int] | None = None,
    ) -> None:
        """Write one line.

        Args:
            action: for instance ``enroll``, ``identify``, ``forget``.
            key: id of the key that asked, "" without keys.
            outcome: ``done``, or the kind of the error.
            person_id: whose record was touched; for `identify` nobody's, so that the trail never says who was seen.
            counts: for instance ``{"photos": 2}``.
        """
        if self._file is None:
            return
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": request_id,
            "key": key,
            "action": action,
            "gallery": gallery,
            "person_id": person_id,
            "outcome": outcome,
            **(counts or {}),
        }
        with self._lock:
            os.write(self._file, msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

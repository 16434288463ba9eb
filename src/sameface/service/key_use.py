"""When each key was last used, in a file beside the keys: to the minute, written at most once a minute."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sameface import file_locks
from sameface.plain import known


class KeyUse:
    """Remembers uses, and joins them into the file with what other processes saw. Safe to use from several threads.

    Args:
        keys: the file of keys; the uses lie in ``NAME.used`` beside it.
    """

    def __init__(self, keys: Path) -> None:
        self.path = keys.parent / f"{keys.name}.used"
        self._seen: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, key_id: str) -> None:
        """A key was used now."""
        with self._lock:
            self._seen[key_id] = datetime.now(UTC).isoformat(timespec="minutes")

    def last(self) -> dict[str, str]:
        """The last use by key id, as far as written; a file that is damaged or not there says nothing."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=known(dict[str, str]))
        except (OSError, msgspec.DecodeError):
            return {}

    def write(self) -> None:
        """Join what was seen into the file. Where it cannot be written, it is kept for the next time."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                file_locks.lock(file)
                known = self.last()
                file.write(msgspec.json.encode(known | {key: max(at, known.get(key, "")) for key, at in seen.items()}))
                file.truncate()
        except OSError:
            with self._lock:
                self._seen = seen | self._seen

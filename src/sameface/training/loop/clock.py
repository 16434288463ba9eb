"""How fast a training goes."""

from __future__ import annotations

import time


class Clock:
    """Seconds and photos of one run."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._mark, self._mark_photos = self._wall, 0
        self.photos = 0

    def lap(self) -> dict[str, float]:
        """Numbers of a report: photos a second since the last lap, and the seconds of the whole run."""
        now = time.monotonic()
        speed = (self.photos - self._mark_photos) / max(1e-9, now - self._mark)
        self._mark, self._mark_photos = now, self.photos
        return {"photos_per_second": speed, "cpu_seconds": self.cpu_seconds, "wall_seconds": now - self._wall}

    @property
    def cpu_seconds(self) -> float:
        return time.process_time() - self._cpu

    @property
    def wall_seconds(self) -> float:
        return time.monotonic() - self._wall

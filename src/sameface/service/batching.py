"""One encoder call for the faces of many concurrent requests.

No timer and no thread of its own: who comes while nobody encodes goes at once; whoever comes meanwhile waits and is taken along by the
next call. An idle service adds no delay, a busy one fills its batches by itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from sameface.encoders import Encoded, Encoder
from sameface.models.card import ModelCard
from sameface.types import CropsRGB, Embeddings


@dataclass(eq=False, slots=True)
class _Job:
    crops_rgb: CropsRGB
    wake: threading.Event = field(default_factory=threading.Event)
    encoded: Encoded | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.encoded is not None or self.error is not None


class BatchingEncoder:
    """An encoder that joins concurrent calls. Same answers as the encoder within.

    Args:
        inner: what encodes.
        limit: crops in one call; a single caller's larger batch still goes as one.

    Attributes:
        calls: calls made to the inner encoder.
    """

    def __init__(self, inner: Encoder, limit: int = 32) -> None:
        self._inner = inner
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []
        self._busy = False
        self.calls = 0

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    def encode(self, crops_rgb: CropsRGB) -> Embeddings:
        """As `Encoder.encode`."""
        return self.encode_measured(crops_rgb).embeddings

    def encode_measured(self, crops_rgb: CropsRGB) -> Encoded:
        """As `Encoder.encode_measured`."""
        if len(crops_rgb) == 0:
            return self._inner.encode_measured(crops_rgb)
        job = _Job(crops_rgb)
        with self._lock:
            self._waiting.append(job)
            first = not self._busy
            self._busy = True
        if not first:
            job.wake.wait()
        if not job.done:  # it is this thread's turn to encode, for itself and whoever waits
            self._encode_together()
        if job.error is not None:
            raise job.error
        assert job.encoded is not None
        return job.encoded

    def _encode_together(self) -> None:
        jobs = self._take()
        try:
            self.calls += 1
            together = jobs[0].crops_rgb if len(jobs) == 1 else np.concatenate([job.crops_rgb for job in jobs])
            embeddings, lengths = self._inner.encode_measured(together)
            start = 0
            for job in jobs:
                end = start + len(job.crops_rgb)
                job.encoded = Encoded(embeddings[start:end], lengths[start:end])
                start = end
        except BaseException as error:  # noqa: BLE001  # handed to each caller
            for job in jobs:
                job.error = error
        with self._lock:
            heir = self._waiting[0] if self._waiting else None
            self._busy = heir is not None
        for job in jobs:
            job.wake.set()
        if heir is not None:
            heir.wake.set()

    def _take(self) -> list[_Job]:
        """The oldest job and those after it of the same crop size, up to the limit; the others wait for the next call."""
        with self._lock:
            head = self._waiting[0]
            taken, total = [head], len(head.crops_rgb)
            for job in self._waiting[1:]:
                if total + len(job.crops_rgb) > self._limit:
                    break
                if job.crops_rgb.shape[1:] == head.crops_rgb.shape[1:]:
                    taken.append(job)
                    total += len(job.crops_rgb)
            self._waiting = [job for job in self._waiting if job not in taken]
            return taken

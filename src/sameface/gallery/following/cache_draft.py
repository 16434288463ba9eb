"""A cache file while it is written: rows come in portions, and nothing of them stays in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

import numpy as np
import numpy.typing as npt

from sameface import file_locks
from sameface.gallery.exact.codes import BLOCK, encoded, whole_blocks
from sameface.gallery.exact.segment import Segment, square_norms
from sameface.gallery.following.cache_layout import KINDS, PAGE, SUMMED, Layout, Stamp, header, sums_of
from sameface.gallery.following.record import Rows

_PORTION: Final = 1 << 14  # rows of a segment that are written at a time
#: Bytes from which on waiting for another process that writes a cache is better than reading everybody too, and keeping them in memory.
WORTH_WAITING = 1 << 26
#: Seconds without a byte, after which that process is taken for stuck.
_STUCK: Final = 10.0


class Draft:
    """The file that is to become a cache. Nobody else may write one meanwhile.

    Args:
        path: where the cache goes.
        layout: how many rows will come.

    Raises:
        OSError: another process is at it, or the folder may not be written.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path, self._part, self._layout = path, path.with_name(path.name + ".part"), layout
        self._done = 0
        self._file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            if not file_locks.try_lock(self._file):
                raise BlockingIOError
            self._file.truncate(0)
            self._file.truncate(layout.bytes)
        except BaseException:
            self._file.close()
            raise
        self._tail = np.empty((0, layout.dimension), np.float32)  # rows that do not fill a block yet

    def append(self, rows: Rows) -> None:
        """Write rows after those that came before. Raises OSError."""
        vectors = np.ascontiguousarray(rows.vectors, "<f4")
        columns = {"ids": rows.ids, "keys": rows.keys, "crcs": rows.crcs, "sq_norms": square_norms(vectors)}
        for name, kind in KINDS:
            self._put(name, self._done, np.ascontiguousarray(columns[name], kind))
        self._put("matrix", self._done, vectors)
        if self._layout.coded:
            self._encode(vectors)
        self._done += len(vectors)

    def _encode(self, vectors: npt.NDArray[np.float32]) -> None:
        first = self._done - len(self._tail)
        waiting = np.concatenate([self._tail, vectors]) if len(self._tail) else vectors
        codes = encoded(waiting[: whole_blocks(len(waiting))])
        self._tail = waiting[len(codes) :].copy()
        self._put("codes", first, codes.rows)
        self._put("scales", first // BLOCK, codes.scales)
        self._put("errors", first // BLOCK, codes.errors)

    def _put(self, name: str, number: int, items: npt.NDArray[np.generic]) -> None:
        offset, _, size = self._layout.parts[name]
        write_at(self._file, items, self._layout.body_at + offset + number * size)

    def finish(self, stamp: Stamp) -> bool:
        """Sum up what was written and put it in the cache's place. Returns False, and leaves nothing, when other rows came than were to come."""
        if self._done != self._layout.count:
            self.abandon()
            return False
        sums = np.empty(self._layout.sums, "<u8")
        self._file.seek(self._layout.body_at)
        for number in range(len(sums)):  # read and not mapped: what is mapped counts as this process's memory
            raw = read_at(self._file, min(SUMMED, self._layout.body_bytes - number * SUMMED))
            sums[number : number + 1] = sums_of(np.frombuffer(raw, np.uint8))
        write_at(self._file, sums, PAGE)
        write_at(self._file, np.frombuffer(header(stamp, self._layout), np.uint8), 0)
        self._part.replace(self._path)
        self._file.close()
        return True

    def abandon(self) -> None:
        """Leave nothing."""
        if not self._file.closed:
            with suppress(OSError):
                self._part.unlink()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()


def write(path: Path, stamp: Stamp, segments: Iterable[Segment], *, coded: bool) -> bool:
    """Write a cache of everything that is alive in memory. Returns False, and writes nothing, where another process is at it or cannot be written."""
    held = [(segment, segment.alive[: segment.count]) for segment in segments]
    count = int(sum(alive.sum() for _, alive in held))
    try:
        with Draft(path, Layout(count, stamp.dimension, coded)) as draft:
            for segment, alive in held:
                for start in range(0, len(alive), _PORTION):
                    chosen = start + np.flatnonzero(alive[start : start + _PORTION])
                    draft.append(
                        Rows(segment.matrix[chosen], segment.ids[chosen], segment.keys[chosen], segment.crcs[chosen])
                    )
                    segment.release()
            return draft.finish(stamp)
    except OSError:  # a full disk: a gallery works without a cache
        return False


def wait_for_another(path: Path) -> bool:
    """Wait for another process that writes a large cache. Returns whether there was one, so that the cache is there now, or it gave up."""
    part = path.with_name(path.name + ".part")
    waited = False
    while True:
        try:
            with part.open("rb") as file:
                about = os.fstat(file.fileno())
                idle = time.time() - about.st_mtime > _STUCK
                if about.st_size < WORTH_WAITING or idle or file_locks.try_lock(file):
                    return waited
        except OSError:
            return waited
        waited = True
        time.sleep(0.05)


def write_at(file: IO[bytes], raw: npt.NDArray[np.generic], place: int) -> None:
    """Write an array at a place of a file without a buffer."""
    view = raw.reshape(-1).view(np.uint8).data if raw.size else memoryview(b"")
    done = 0
    file.seek(place)
    while done < len(view):
        done += file.write(view[done : done + (1 << 28)])


def read_at(file: IO[bytes], length: int, place: int | None = None) -> bytes:
    """So many bytes from a place on, or from where the last reading ended."""
    if place is not None:
        file.seek(place)
    parts = []
    while length and (part := file.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)

"""Exact search: the answer of a plain loop over everybody, at the speed of one pass over memory.

`scan` computes only a lower bound of ‖x − p‖² for each block of 64 rows, less the error that its arithmetic can make. Blocks are then examined from
the lowest bound upwards with the very function that a plain loop would use, until no block that is left could hold anything nearer. So the speed
is the scan's and the answer is the loop's, equal distances included.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.exact.codes import BLOCK
from sameface.gallery.exact.scan import View, lower_bounds, views_of
from sameface.gallery.exact.segment import NOBODY, Segment, StaleRowError, among, crc_of
from sameface.matching import distance
from sameface.types import Embeddings

_PROBES_AT_ONCE: Final = 128


class MatrixIndex:
    """All templates of a gallery in memory. Many threads may search while one appends or removes."""

    def __init__(self, dimension: int, base: Segment | None = None, *, coded_from: int | None = None) -> None:
        self.dimension, self._coded_from = dimension, coded_from
        self._segments: list[Segment] = [base] if base is not None and base.count else []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(int(segment.alive[: segment.count].sum()) for segment in self._segments)

    @property
    def rows(self) -> int:
        """Rows held, forgotten ones included."""
        return sum(segment.count for segment in self._segments)

    @property
    def segments(self) -> Sequence[Segment]:
        return tuple(self._segments)

    def append(
        self,
        vectors: npt.NDArray[np.float32],
        ids: npt.NDArray[np.int64],
        keys: npt.NDArray[np.int64],
        crcs: npt.NDArray[np.uint32],
    ) -> None:
        """Add rows after all others."""
        with self._lock:
            last = self._segments[-1] if self._segments else None
            if last is None or not last.writable or last.count + len(vectors) > len(last.matrix):
                mergeable = last is not None and last.writable and last.count < (1 << 16)
                held = last.count if last is not None and mergeable else 0
                grown = Segment.empty(max(256, 2 * (held + len(vectors))), self.dimension)
                if last is not None and mergeable:
                    _copy(last, grown)
                    self._segments = [*self._segments[:-1], grown]
                else:
                    self._segments = [*self._segments, grown]
            self._segments[-1].append(vectors, ids, keys, crcs)
            self._segments[-1].encode(self._coded_from)

    def remove(self, person_keys: Sequence[int]) -> int:
        """Take people out of every answer. Returns the rows concerned."""
        with self._lock:
            return sum(segment.kill(np.asarray(person_keys, np.int64)) for segment in self._segments)

    def holds(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of these templates are here, ``(n,)``."""
        found = np.zeros(len(ids), np.bool_)
        for segment in self._segments:
            count = segment.count
            found |= np.isin(ids, segment.ids[:count][segment.alive[:count]])
        return found

    def search(
        self, probes: Embeddings, k: int, only: npt.NDArray[np.int64] | None = None, *, threads: int = 1
    ) -> list[list[tuple[int, float]]]:
        """Rank people for each probe.

        Args:
            probes: ``(m, d)``, finite.
            k: people per probe, at least 1.
            only: person keys to search among, None for all.
            threads: at most so many for the pass over everybody.

        Returns:
            m lists of ``(person key, distance)``; nearest first, of equal distances the smaller key first.

        Raises:
            StaleRowError: a row that would be an answer changed under the search.
        """
        views = views_of(self._segments)
        if not views:
            return [[] for _ in probes]
        wanted = [_wanted(view, only) for view in views]
        answers: list[list[tuple[int, float]]] = []
        for start in range(0, len(probes), _PROBES_AT_ONCE):
            part = probes[start : start + _PROBES_AT_ONCE]
            bounds, slack = lower_bounds(views, part, threads)
            if only is not None:
                _leave_out(bounds, views, wanted)
            by_probe = np.ascontiguousarray(bounds.T)
            for number, probe in enumerate(part):
                answers.append(_Examination(views, wanted, probe, k).run(by_probe[number], float(slack[number])))
        return answers


def _wanted(view: View, only: npt.NDArray[np.int64] | None) -> npt.NDArray[np.bool_]:
    """Which rows may be an answer."""
    alive = view.segment.alive[: view.count]
    return alive if only is None else alive & among(view.segment.keys[: view.count], only)


def _leave_out(bounds: npt.NDArray[np.float32], views: Sequence[View], wanted: Sequence[npt.NDArray[np.bool_]]) -> None:
    """Blocks with nobody in them that is wanted are infinitely far."""
    for view, mask in zip(views, wanted, strict=True):
        somebody = np.logical_or.reduceat(mask, np.arange(0, len(mask), BLOCK))
        bounds[view.first_block : view.first_block + view.blocks][~somebody] = np.inf


class _Examination:
    """One probe's exact look at the blocks that may hold its nearest people."""

    def __init__(
        self,
        views: Sequence[View],
        wanted: Sequence[npt.NDArray[np.bool_]],
        probe: npt.NDArray[np.float32],
        k: int,
    ) -> None:
        self.views, self.wanted, self.probe, self.k = views, wanted, probe, k
        self.wide = probe.astype(np.float64)
        self.rows: list[
            tuple[int, npt.NDArray[np.int64], npt.NDArray[np.float64]]
        ] = []  # segment, rows, squared distances
        self.best: dict[int, float] = {}  # person key -> squared distance

    def run(self, bounds: npt.NDArray[np.float32], slack: float) -> list[tuple[int, float]]:
        blocks = len(bounds)
        step = min(blocks, self.k)
        done = np.zeros(blocks, dtype=np.bool_)
        limit = math.inf
        while True:
            # Whatever is not done and could still be nearer than the k-th best person so far.
            if limit < math.inf:
                todo = np.flatnonzero((bounds <= limit + slack) & ~done)
                if not todo.size:
                    break
                if todo.size > 4 * step:  # look at the most promising first: they lower the limit for the rest
                    todo = todo[np.argpartition(bounds[todo], step)[:step]]
            else:
                left = np.flatnonzero((bounds < np.inf) & ~done)
                if not left.size:
                    break
                todo = left if left.size <= step else left[np.argpartition(bounds[left], step - 1)[:step]]
            self._examine(todo)
            done[todo] = True
            step *= 2
            if len(self.best) >= self.k:
                limit = sorted(self.best.values())[self.k - 1]
        return self._answers(limit)

    def _examine(self, blocks: npt.NDArray[np.int64]) -> None:
        for number, view in enumerate(self.views):
            segment, first = view.segment, view.first_block
            here = blocks[(blocks >= first) & (blocks < first + view.blocks)] - first
            segment.look(here)
            for part in range(0, len(here), 1024):
                rows = (here[part : part + 1024, None] * BLOCK + np.arange(BLOCK)).ravel()
                rows = rows[rows < view.count]
                rows = rows[self.wanted[number][rows] & (segment.keys[rows] != NOBODY)]
                difference = segment.matrix[rows].astype(np.float64)
                difference -= self.wide
                squared = np.einsum("ij,ij->i", difference, difference)
                self.rows.append((number, rows, squared))
                best = self.best
                for key, value in zip(segment.keys[rows].tolist(), squared.tolist(), strict=True):
                    if value < best.get(key, math.inf):
                        best[key] = value

    def _answers(self, limit: float) -> list[tuple[int, float]]:
        # Sums in another order differ in the last bit, so those near the limit are measured by the one distance function.
        measured: dict[int, float] = {}
        for number, rows, squared in self.rows:
            segment = self.views[number].segment
            for place in np.flatnonzero(squared <= limit * (1 + 1e-9) + 1e-30):
                row = rows[place]
                key = int(segment.keys[row])
                if key == NOBODY or key not in self.best:  # crossed out since it was looked at
                    raise StaleRowError
                if squared[place] > self.best[key] * (1 + 1e-9) + 1e-30:
                    continue
                vector = segment.matrix[row]
                if crc_of(key, vector.tobytes()) != segment.crcs[row]:
                    raise StaleRowError
                value = distance(self.probe, vector)
                if value < measured.get(key, math.inf):
                    measured[key] = value
        ranked = sorted(measured.items(), key=lambda item: (item[1], item[0]))
        return ranked[: self.k]


def _copy(source: Segment, target: Segment) -> None:
    """Take over rows as they are, the forgotten ones too, so that row numbers stay."""
    count = source.count
    for name in ("matrix", "ids", "keys", "crcs", "sq_norms", "alive"):
        getattr(target, name)[:count] = getattr(source, name)[:count]
    target.count, target.codes = count, source.codes

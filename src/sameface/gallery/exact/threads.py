"""How many threads a search may use. Many reading processes do best with one thread each."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from sameface.errors import SettingError

#: Threads of one search; empty or unset leaves it to the linear algebra library (one per core).
VARIABLE: Final = "SAMEFACE_SEARCH_THREADS"


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def threads_from_environment() -> int | None:
    """The number in ``$SAMEFACE_SEARCH_THREADS``, None when there is none.

    Raises:
        SettingError: not a whole number of at least 1.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise SettingError(
            expected=f"{VARIABLE} as a whole number of at least 1", got=repr(value), advice="set it to 1, or remove it"
        )
    return int(value)


#: Multiplications below which a second thread costs more than it brings: waking it takes longer, on a busy machine a hundred times longer.
_SMALL: Final = 1 << 22


def threads_for(multiplications: int, wanted: int | None) -> int:
    """Threads of a search of so many multiplications: what was wanted, else one for a small search, else what the linear algebra library would use.

    >>> threads_for(1000, None), threads_for(1000, 4)
    (1, 4)
    """
    if wanted is not None:
        return wanted
    return 1 if multiplications < _SMALL else _liked()


@cache
def _liked() -> int:
    """Threads that the linear algebra library takes when nobody limits it: ``OPENBLAS_NUM_THREADS`` and its like, else one per core."""
    return max((item["num_threads"] for item in _controller().info() if item["user_api"] == "blas"), default=1)


class _Limit:
    """The limit is the process's, not the thread's: the first thread in sets it, the last one out puts back what was before."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, _controller().limit(limits=None)

    def enter(self, threads: int) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = _controller().limit(limits=threads, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._before.restore_original_limits()


_limit: Final = _Limit()


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Run a block with at most so many threads in matrix products; None changes nothing.

    Blocks that run at once in several threads of a process share the limit of the first.
    """
    if threads is None:
        yield
        return
    _limit.enter(threads)
    try:
        yield
    finally:
        _limit.leave()

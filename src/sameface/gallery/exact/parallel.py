"""The threads of a search. Pieces of work go to whoever is free, so a thread that the system holds up delays nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final


class _Helpers:
    """Threads kept for all searches of a process; a forked process makes its own."""

    def __init__(self) -> None:
        self._lock, self._pool, self._of = threading.Lock(), ThreadPoolExecutor(1), 0

    def pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._of != os.getpid():
                self._pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "sameface-search")
                self._of = os.getpid()
            return self._pool


_helpers: Final = _Helpers()


def share(work: Callable[[int], None], pieces: int, threads: int) -> None:
    """Call ``work(0)`` to ``work(pieces − 1)``, in this thread and in up to `threads` − 1 others.

    Returns when all are done. Raises the first error of any.
    """
    numbers = iter(range(pieces))  # each number is given once, whoever asks
    helpers = [_helpers.pool().submit(_until_none_is_left, work, numbers) for _ in range(min(threads, pieces) - 1)]
    try:
        _until_none_is_left(work, numbers)
    finally:
        running = [helper for helper in helpers if not helper.cancel()]  # whoever has not begun yet is not waited for
        errors = [helper.exception() for helper in running]
    for error in errors:
        if error is not None:
            raise error


def _until_none_is_left(work: Callable[[int], None], numbers: Iterator[int]) -> None:
    for number in numbers:
        work(number)

"""How much at once: a rate per caller, and a bounded workshop that refuses rather than piles up."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sameface.errors import OverloadedError, RateLimitedError, RequestTimeoutError

Answer = TypeVar("Answer")
#: Callers remembered at once; the longest unseen is forgotten first, and starts with a full bucket again.
_REMEMBERED: Final = 10_000


class RateLimit:
    """A token bucket per caller. Safe to use from several threads.

    Args:
        rate: tokens per second. burst: how many a bucket holds.
        clock: seconds that only grow.

    >>> limit = RateLimit(rate=1, burst=2, clock=lambda: 0.0)
    >>> limit.take("ada"); limit.take("ada")
    >>> limit.take("ada")
    Traceback (most recent call last):
    sameface.errors.RateLimitedError: expected at most 1 requests per second; got more. Wait 1 s and try again.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str, rate: float | None = None, burst: int | None = None) -> None:
        """Spend one token.

        Args:
            rate, burst: of this caller, None for those of everybody.

        Raises:
            RateLimitedError: none is left; its ``retry_after`` says in how many whole seconds there is one.
        """
        per_second, most = rate or self._rate, float(burst or self._burst)
        with self._lock:
            now = self._clock()
            tokens, seen = self._buckets.pop(caller, (most, now))
            tokens = min(most, tokens + (now - seen) * per_second)
            self._buckets[caller] = (tokens - 1 if tokens >= 1 else tokens, now)
            if len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
        if tokens < 1:
            seconds = math.ceil((1 - tokens) / per_second)
            error = RateLimitedError(
                expected=f"at most {per_second:g} requests per second",
                got="more",
                advice=f"wait {seconds} s and try again",
            )
            error.retry_after = seconds
            raise error


class PixelBudget:
    """Pixels of all photos that are decoded at once: a kilobyte may hold 50 million of them. In order of arrival; for threads.

    Args:
        most: pixels; a single request's larger number goes alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._turn = threading.Lock()  # so that a large photo is not overtaken for ever
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until so many fit, and hold them."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._held == 0 or self._held + pixels <= self._most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()


class Workshop:
    """Threads for blocking work, with a queue of fixed length: what does not fit is refused at once.

    Work that runs cannot be stopped; when its request times out it keeps its place until it is done, so that a pile of abandoned
    work never grows behind the queue.

    Args:
        workers: threads. queue: pieces of work that may wait.
        timeout: seconds from submission to answer.
        name: of the threads.
    """

    def __init__(self, workers: int, queue: int, timeout: float, name: str) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._room = workers + queue
        self._timeout = timeout
        self._inside = 0

    @property
    def inside(self) -> int:
        """Pieces of work that run or wait."""
        return self._inside

    def check_room(self) -> None:
        """Raise where work would be refused: asked before a request is even read, since reading costs too.

        Raises:
            OverloadedError: no room.
        """
        if self._inside >= self._room:
            error = OverloadedError(
                expected=f"at most {self._room} requests at work", got="one more", advice="wait a second and try again"
            )
            error.retry_after = 1
            raise error

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """The answer of a blocking call.

        Raises:
            OverloadedError: no room; nothing was started.
            RequestTimeoutError: not done in time.
        """
        self.check_room()
        loop = asyncio.get_running_loop()
        self._inside += 1
        try:
            future: Future[Answer] = self._pool.submit(work)
        except RuntimeError:  # the pool is shutting down
            self._inside -= 1
            raise OverloadedError(
                expected="a running service", got="one that is stopping", advice="try again"
            ) from None
        future.add_done_callback(lambda _: _call_soon(loop, self._leave))
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(_look_at)
        try:
            return await asyncio.wait_for(asyncio.shield(answer), self._timeout)
        except TimeoutError as error:
            future.cancel()
            late = RequestTimeoutError(
                expected=f"an answer within {self._timeout:g} s",
                got="none yet",
                advice="send a smaller photo, or try again later",
            )
            late.retry_after = 1
            raise late from error
        except asyncio.CancelledError:  # the client went away
            future.cancel()
            raise

    def _leave(self) -> None:
        self._inside -= 1

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _look_at(answer: asyncio.Future[Any]) -> None:
    """What fails after its request was answered is nobody's any more, and no line without a request in the log."""
    if not answer.cancelled():
        answer.exception()


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:  # the loop is closed: the process is ending
        return

"""How often a key may ask about one person without being told yes: what a thief of embeddings lives on, and an honest camera hardly needs."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from sameface.errors import RateLimitedError

_HOUR: Final = 3600.0
#: Pairs of key and person remembered at once; the longest unseen is forgotten first.
_REMEMBERED: Final = 100_000


class Attempts:
    """A budget for each pair of key and person, which fills again within an hour. Safe to use from several threads.

    Args:
        an_hour: attempts in an hour, and at once; at least 1.
        clock: seconds that only grow.

    >>> attempts = Attempts(2, clock=lambda: 0.0)
    >>> [attempts.spend("key 1, Ada") for _ in range(3)], attempts.spend("key 2, Ada")
    ([True, True, False], True)
    >>> attempts.give_back("key 1, Ada"); attempts.spend("key 1, Ada")
    True
    """

    def __init__(self, an_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.an_hour = an_hour
        self._clock = clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, who: Hashable) -> bool:
        """Take one attempt; False where none is left."""
        with self._lock:
            left, now = self._now(who)
            self._put(who, left - 1 if left >= 1 else left, now)
        return left >= 1

    def any_left(self, who: Hashable) -> bool:
        """Whether an attempt is left; takes none."""
        with self._lock:
            return self._now(who)[0] >= 1

    def give_back(self, who: Hashable) -> None:
        """An attempt that told nothing, or was answered by yes, is not counted."""
        with self._lock:
            left, now = self._now(who)
            self._put(who, min(left + 1, float(self.an_hour)), now)

    def claim(self, who: Hashable) -> None:
        """Take one attempt at a claim.

        Raises:
            RateLimitedError: none is left; its ``retry_after`` says in how many whole seconds there is one.
        """
        if self.spend(who):
            return
        with self._lock:
            left, _ = self._now(who)
        error = RateLimitedError(
            expected=f"at most {self.an_hour} refused claims of one person an hour",
            got="one more",
            advice="check whether the claim is right, and wait",
        )
        error.retry_after = math.ceil((1 - left) * _HOUR / self.an_hour)
        raise error

    def _now(self, who: Hashable) -> tuple[float, float]:
        now = self._clock()
        left, seen = self._left.get(who, (float(self.an_hour), now))
        return min(float(self.an_hour), left + (now - seen) * self.an_hour / _HOUR), now

    def _put(self, who: Hashable, left: float, now: float) -> None:
        self._left[who] = (left, now)
        self._left.move_to_end(who)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)

"""How often a key may ask about one person without being told yes: what a thief of embeddings lives on, and an honest camera hardly needs.

What fills again within an hour is without end for whoever has a week, so a day has a limit of its own.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from sameface.errors import RateLimitedError

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
#: Pairs of key and person remembered at once; the longest unseen is forgotten first.
_REMEMBERED: Final = 100_000


class Attempts:
    """A budget for each pair of key and person, which fills again with time. Safe to use from several threads.

    Args:
        an_hour: attempts in an hour, and at once; at least 1.
        a_day: attempts in a day; None for as many as its hours give.
        clock: seconds that only grow.

    >>> attempts = Attempts(2, clock=lambda: 0.0)
    >>> [attempts.spend("key 1, Ada") for _ in range(3)], attempts.spend("key 2, Ada")
    ([True, True, False], True)
    >>> attempts.give_back("key 1, Ada"); attempts.spend("key 1, Ada")
    True
    """

    def __init__(self, an_hour: int, *, a_day: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.an_hour = an_hour
        self._most = (float(an_hour), math.inf if a_day is None else float(a_day))
        self._clock = clock
        self._left: OrderedDict[Hashable, tuple[float, float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, who: Hashable) -> bool:
        """Take one attempt; False where none is left."""
        with self._lock:
            hour, day, now = self._now(who)
            enough = min(hour, day) >= 1
            self._put(who, hour - enough, day - enough, now)
        return enough

    def any_left(self, who: Hashable) -> bool:
        """Whether an attempt is left; takes none."""
        with self._lock:
            hour, day, _ = self._now(who)
        return min(hour, day) >= 1

    def give_back(self, who: Hashable) -> None:
        """An attempt that told nothing, or was answered by yes, is not counted."""
        with self._lock:
            hour, day, now = self._now(who)
            self._put(who, min(hour + 1, self._most[0]), min(day + 1, self._most[1]), now)

    def claim(self, who: Hashable) -> None:
        """Take one attempt at a claim.

        Raises:
            RateLimitedError: none is left; its ``retry_after`` says in how many whole seconds there is one.
        """
        if self.spend(who):
            return
        with self._lock:
            hour, day, _ = self._now(who)
        error = RateLimitedError(
            expected=f"at most {self.an_hour} refused claims of one person an hour",
            got="one more",
            advice="check whether the claim is right, and wait",
        )
        # A budget without a limit for the day is never short of one.
        waits = ((1 - hour) * _HOUR / self._most[0], (1 - day) * _DAY / self._most[1] if day < 1 else 0.0)
        error.retry_after = math.ceil(max(waits))
        raise error

    def _now(self, who: Hashable) -> tuple[float, float, float]:
        now = self._clock()
        most_hour, most_day = self._most
        hour, day, seen = self._left.get(who, (most_hour, most_day, now))
        gone = now - seen
        hour = min(most_hour, hour + gone * most_hour / _HOUR)
        return hour, most_day if math.isinf(most_day) else min(most_day, day + gone * most_day / _DAY), now

    def _put(self, who: Hashable, hour: float, day: float, now: float) -> None:
        self._left[who] = (hour, day, now)
        self._left.move_to_end(who)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)

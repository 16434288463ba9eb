"""Bytes of all request bodies that are held at once, however many clients send them."""

from __future__ import annotations

from dataclasses import dataclass

from sameface.errors import OverloadedError


@dataclass(slots=True)
class Taken:
    """What one request holds."""

    size: int = 0


class BodyBudget:
    """For one event loop; not for several threads.

    Args:
        most: bytes.

    >>> budget, first, second = BodyBudget(10), Taken(), Taken()
    >>> budget.take(first, 6)
    >>> budget.take(second, 6)
    Traceback (most recent call last):
    sameface.errors.OverloadedError: expected bodies of at most 10 bytes at once; got more. Wait a second and try again.
    >>> budget.give_back(first); budget.give_back(second); budget.take(second, 6)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    def take(self, taken: Taken, size: int) -> None:
        """A request holds more.

        Raises:
            OverloadedError: more than all requests together may hold.
        """
        self._held += size
        taken.size += size
        if self._held > self._most:
            error = OverloadedError(
                expected=f"bodies of at most {self._most:,} bytes at once",
                got="more",
                advice="wait a second and try again",
            )
            error.retry_after = 1
            raise error

    def give_back(self, taken: Taken) -> None:
        """A request is over."""
        self._held -= taken.size
        taken.size = 0

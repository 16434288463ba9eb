"""How many threads a search may use. Many reading processes do best with one thread each."""

from __future__ import annotations

import os
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


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Run a block with at most so many threads in matrix products; None changes nothing."""
    if threads is None:
        yield
        return
    with _controller().limit(limits=threads, user_api="blas"):
        yield

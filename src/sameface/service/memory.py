"""Memory that nobody holds goes back to the system: malloc keeps what was freed for each thread, and grows slowly by what it cannot fit in again."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress
from typing import Final

_EVERY_SECONDS: Final = 60.0


def give_back() -> bool:
    """Whether this system's malloc was asked (glibc has ``malloc_trim``; others manage by themselves)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    trim(0)
    return True


async def give_back_now_and_then() -> None:
    """Until cancelled: once a minute, in a thread, so that nobody waits for it."""
    with suppress(asyncio.CancelledError):
        while await asyncio.to_thread(give_back):
            await asyncio.sleep(_EVERY_SECONDS)

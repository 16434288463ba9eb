"""Freed memory goes back to the system, and the task that sees to it ends with the service."""

from __future__ import annotations

import asyncio
import ctypes
from pathlib import Path

import pytest

from sameface.service.memory import give_back, give_back_now_and_then


def resident_kb() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def test_freed_memory_goes_back() -> None:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_trim"):
        assert not give_back()
        return
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    held = [libc.malloc(100_000) for _ in range(1_000)]  # each under the size that malloc maps by itself
    for place in held:
        ctypes.memset(place, 1, 100_000)
    last = libc.malloc(100_000)  # keeps the heap's end in use, so that free alone cannot shrink it
    for place in held:
        libc.free(place)
    before = resident_kb()
    assert give_back()
    assert resident_kb() < before - 50_000
    libc.free(last)


def test_the_task_ends_when_it_is_cancelled() -> None:
    async def run() -> None:
        task = asyncio.create_task(give_back_now_and_then())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait_for(task, 5)

    asyncio.run(run())


def test_where_malloc_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not give_back()
    asyncio.run(give_back_now_and_then())

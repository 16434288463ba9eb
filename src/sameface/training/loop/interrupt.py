"""Ctrl-C, heard between two steps: a step is taken whole or not at all, so what is saved goes on to the same result."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ctrl_c_between_steps(*, second_stops_at_once: bool = True) -> Iterator[Callable[[], bool]]:
    """While the block runs, Ctrl-C is only noted; the function that is given tells whether it came.

    Outside the main thread, where Python hears no signals, and where Ctrl-C is ignored already, nothing is changed.

    Args:
        second_stops_at_once: raise `KeyboardInterrupt` at the second one. Off for several processes, where the
            terminal and the launcher both send one.
    """
    came = False
    before = signal.getsignal(signal.SIGINT)

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if came and second_stops_at_once:
            raise KeyboardInterrupt
        came = True

    if threading.current_thread() is not threading.main_thread() or before in {signal.SIG_IGN, None}:
        yield lambda: False
        return
    signal.signal(signal.SIGINT, hear)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)

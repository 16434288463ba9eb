"""Ctrl-C and SIGTERM, heard between two steps: a step is taken whole or not at all, so what is saved goes on to the same result."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

#: Ctrl-C; and what schedulers, containers and `kill` send.
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM came: everything is left as Ctrl-C leaves it."""


@dataclass
class Heard:
    """What came.

    Attributes:
        signal: number of the first signal, 0 for none.
    """

    signal: int = 0


@contextmanager
def signals_between_steps(*, second_stops_at_once: bool = True) -> Iterator[Heard]:
    """While the block runs, the first Ctrl-C or SIGTERM is only noted.

    Outside the main thread, where Python hears no signals, nothing is changed; nor for a signal that is ignored already.

    Args:
        second_stops_at_once: raise `KeyboardInterrupt` at the second one. Off for several processes, where the
            terminal and the launcher both send one.
    """
    heard = Heard()

    def hear(number: int, frame: FrameType | None) -> None:
        if heard.signal and second_stops_at_once:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        heard.signal = heard.signal or number

    with _handled(dict.fromkeys(SIGNALS, hear)):
        yield heard


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """While the block runs, SIGTERM raises `Terminated`, so that whatever is half written is removed on the way out."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise Terminated

    with _handled({signal.SIGTERM: leave}):
        yield


@contextmanager
def _handled(handlers: dict[signal.Signals, object]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in handlers}
    changed = {number: handler for number, handler in before.items() if handler not in {signal.SIG_IGN, None}}
    for number in changed:
        signal.signal(number, handlers[number])  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)

"""Sends what waits in an outbox, in a thread for each target, for as long as it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sameface.events.outbox import Outbox
from sameface.events.targets import Target


class Sender:
    """Puts events into an outbox and delivers them meanwhile. Use it as a context.

    Args:
        outbox: where they wait; what is left in it from before goes out first.
        targets: each gets every event, in order; one that is away holds up no other.
        say: told when a delivery fails, and when it works again.
        pause: longest seconds between two looks.
    """

    def __init__(
        self,
        outbox: Outbox,
        targets: Sequence[Target],
        *,
        say: Callable[[str], None] = lambda text: None,
        pause: float = 1.0,
    ) -> None:
        self._outbox, self._targets, self._say, self._pause = outbox, list(targets), say, pause
        self._ended, self._news = threading.Event(), threading.Condition()
        self._threads = [threading.Thread(target=self._deliver, args=(item,), daemon=True) for item in self._targets]

    def put(self, body: bytes) -> None:
        """Take an event: it is on the disk when this returns.

        Raises:
            OutputError: the disk does not take it.
        """
        if self._targets:
            self._outbox.put(body, [target.name for target in self._targets])
            with self._news:
                self._news.notify_all()

    def __enter__(self) -> Sender:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        """Send what can be sent at once; the rest stays in the outbox."""
        self._ended.set()
        with self._news:
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=30)
        for target in self._targets:
            target.close()

    def _deliver(self, target: Target) -> None:
        troubled = False
        while True:
            waiting = self._outbox.due(target.name)
            if waiting is None:
                if self._ended.is_set():
                    return
                with self._news:
                    self._news.wait(self._pause)
                continue
            fault = target.send(waiting)
            if not fault:
                self._outbox.delivered(waiting)
                if troubled:
                    self._say(f"{target.name}: delivers again")
                troubled = False
                continue
            seconds = self._outbox.failed(waiting)
            if not troubled:
                self._say(
                    f"{target.name}: {fault}; tried again in {seconds:.0f} s and then less often, nothing is lost"
                )
            troubled = True
            if self._ended.is_set():
                return

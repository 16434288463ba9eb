"""The log is copied into the gallery file a moment after a change, so that the file alone has everybody soon.

To do so at every change would cost two more waits for the disk each time. SQLite itself does it from a thousand pages on, and when the last user
closes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

#: Seconds from a change on. More changes within them are copied together.
DELAY: Final = 0.2


class Settling:
    """Calls something once, a moment after it was asked to, however often it was asked meanwhile.

    Args:
        settle: called in a thread of its own; raises nothing.
    """

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def soon(self) -> None:
        """Ask for it."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(DELAY, self._run)
                self._timer.daemon = True  # a program that ends need not wait: what was changed is safe in the log
                self._timer.start()

    def close(self) -> None:
        """Call no more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    def _run(self) -> None:
        with self._lock:
            self._timer = None
        self._settle()

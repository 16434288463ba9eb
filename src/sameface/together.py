"""Two pieces of work at the same time: what they do inside NumPy, Pillow and ONNX Runtime runs on two cores."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


def together(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """What two pieces of work give; the second has a thread of its own meanwhile.

    Returns when both have ended.

    Raises:
        Exception: the first one's error, else the second one's.

    >>> together(lambda: 1, lambda: 2)
    (1, 2)
    """
    given: list[Second] = []
    failed: list[BaseException] = []

    def beside() -> None:
        try:
            given.append(second())
        except BaseException as error:  # noqa: BLE001  raised below, where somebody can catch it
            failed.append(error)

    thread = threading.Thread(target=beside, name="sameface-together", daemon=True)
    thread.start()
    try:
        one = first()
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return one, given[0]

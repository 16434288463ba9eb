"""Cameras that go on: on the network as well as local ones, each read by a thread that keeps its newest frame, opened again when it is lost.

An address may hold a user and a password. They are given to the camera and nowhere shown: a camera is called by its name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np

from sameface.errors import SettingError, without_passwords
from sameface.files import is_text
from sameface.indexing.video import opencv
from sameface.types import ImageRGB

#: How an address on the network begins.
ADDRESSES: Final = ("rtsp://", "rtsps://", "http://", "https://")
#: Seconds between two tries to open a camera again: from the first to the most.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
#: Milliseconds that opening and reading may take before a camera counts as lost.
_PATIENCE: Final = 10_000

What = Literal["frame", "lost", "back"]


class Capture(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802  # as OpenCV calls it
    def read(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Something from a camera.

    Attributes:
        camera: its name.
        what: ``frame``; ``lost``: no frames come; ``back``: they come again.
        at: seconds since the cameras were opened.
        image_rgb: of a frame, None else.
    """

    camera: str
    what: What
    at: float
    image_rgb: ImageRGB | None = None


def is_address(source: str) -> bool:
    """Whether a source is a camera on the network.

    >>> is_address("RTSP://camera/1"), is_address("party.mp4")
    (True, False)
    """
    return source.lower().startswith(ADDRESSES)


def open_capture(source: str | int) -> Capture:
    """A camera by OpenCV, with a limit on how long it may say nothing.

    Raises:
        ExtraMissingError: OpenCV is not installed.
    """
    cv2 = opencv()
    if isinstance(source, int):
        return cv2.VideoCapture(source)  # type: ignore[no-any-return]
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE]
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)  # type: ignore[no-any-return]


class Cameras:
    """Several cameras at once. Use it as a context; then go through `looks`.

    Args:
        sources: by name, an address or the number of a local camera.
        opened: opens one.

    Raises:
        SettingError: none.
    """

    def __init__(
        self,
        sources: dict[str, str | int],
        *,
        opened: Callable[[str | int], Capture] = open_capture,
    ) -> None:
        if not sources:
            raise SettingError(expected="one camera or more", got="none", advice="name one")
        self._sources, self._opened = dict(sources), opened
        self._newest: dict[str, Look] = {}
        self._changes: list[Look] = []
        self._news, self._closed, self._start = threading.Condition(), threading.Event(), time.monotonic()
        self._threads = [
            threading.Thread(target=self._read, args=item, name=f"camera {item[0]}", daemon=True)
            for item in self._sources.items()
        ]

    def __enter__(self) -> Cameras:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._closed.set()
        with self._news:
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=2 * _PATIENCE / 1000)

    def looks(self, *, seconds: float | None = None) -> Iterator[Look]:
        """What comes, for ever or for so many seconds: of each camera its newest frame, and each loss and return.

        Who is slow misses frames and never falls behind.
        """
        while not self._closed.is_set():
            with self._news:
                if not self._newest and not self._changes:
                    self._news.wait(0.5)
                changes, self._changes = self._changes, []
                frames, self._newest = list(self._newest.values()), {}
            yield from sorted([*changes, *frames], key=lambda look: look.at)
            if seconds is not None and self._now() >= seconds:
                return

    def _now(self) -> float:
        return time.monotonic() - self._start

    def _read(self, name: str, source: str | int) -> None:
        pause, lost = FIRST_PAUSE, False
        while not self._closed.is_set():
            capture = self._opened(source)
            try:
                if capture.isOpened():
                    for image_rgb in self._frames(capture):
                        if lost:
                            self._tell(name, "back")
                        pause, lost = FIRST_PAUSE, False
                        with self._news:
                            self._newest[name] = Look(name, "frame", self._now(), image_rgb)
                            self._news.notify_all()
            finally:
                capture.release()
            if not lost:
                lost = True
                self._tell(name, "lost")
            self._closed.wait(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _frames(self, capture: Capture) -> Iterator[ImageRGB]:
        while not self._closed.is_set():
            got, image_bgr = capture.read()
            if not got:
                return
            yield np.ascontiguousarray(image_bgr[..., ::-1])

    def _tell(self, name: str, what: What) -> None:
        with self._news:
            self._changes.append(Look(name, what, self._now()))
            self._news.notify_all()


def named(sources: Sequence[str]) -> dict[str, str | int]:
    """Cameras by name, from ``NAME=ADDRESS``, an address or a number.

    What has no name is called by its number, or by the host of its address.

    Raises:
        SettingError: two of one name; no camera.

    >>> named(["0", "door=rtsp://me:word@10.0.0.7/1", "rtsp://me:word@10.0.0.8:554/1"])
    {'0': 0, 'door': 'rtsp://me:word@10.0.0.7/1', '10.0.0.8': 'rtsp://me:word@10.0.0.8:554/1'}
    """
    from urllib.parse import urlsplit

    found: dict[str, str | int] = {}
    for text in sources:
        name, _, source = text.partition("=")
        if not source or "/" in name:
            name, source = "", text
        number = int(source) if source.isdecimal() and len(source) < 5 else None
        if number is None and not is_address(source):
            raise SettingError(
                expected="cameras: numbers or addresses, as NAME=ADDRESS where there are several",
                got=repr(without_passwords(source)),
                advice="watch a video file alone",
            )
        if not is_text(source):
            raise SettingError(
                expected="the address of a camera",
                got="one that is no valid Unicode",
                advice="write what is no ASCII letter as %C3%A9",
            )
        name = name or (str(number) if number is not None else urlsplit(source).hostname or "camera")
        if name in found:
            raise SettingError(
                expected="a name of its own for each camera", got=f"{name!r} twice", advice="write NAME=ADDRESS"
            )
        found[name] = number if number is not None else source
    return found

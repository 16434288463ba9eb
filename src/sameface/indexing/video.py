"""Frames of a camera or a video file, and video files of frames. By OpenCV: the extra ``video``."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from sameface.errors import ExtraMissingError, ImageAccessError, ImageNotFoundError, NotAnImageError, OutputError
from sameface.files import is_text, path_as_text
from sameface.types import ImageRGB

#: So many frames in a row that cannot be read are the end, whatever the file says.
_GIVE_UP: Final = 250
#: Bytes; a disk with less is full.
_A_LITTLE: Final = 1 << 16
#: Codings by the file's ending, the first that this build of OpenCV can write. Browsers play H.264 and VP9 in MP4, and VP8 in WebM. OpenCV's own
#: wheels have no encoder for H.264, which is patented.
_CODES: Final[Mapping[str, tuple[str, ...]]] = {".avi": ("MJPG",), ".webm": ("VP80", "VP90")}
_IN_OTHERS: Final = ("avc1", "vp09", "mp4v")
_OTHERS: Final = (".mp4", ".m4v", ".mov", ".mkv")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        number: counts from 0.
        at: seconds from the start; of a camera, by the clock.
    """

    number: int
    at: float
    image_rgb: ImageRGB


class Video:
    """A camera or a video file, frame by frame.

    Args:
        source: a path, or the number of a camera.

    Attributes:
        live: whether it is a camera.
        length: frames that the file says it has, 0 when it does not say.
        rate: frames per second, of a file whose rate varies the mean.
        damaged: frames so far that could not be read and were passed over.

    Raises:
        ImageNotFoundError, NotAnImageError: no such file; not a video.
        ImageAccessError: no such camera, or another program has it.
        ExtraMissingError: OpenCV is not installed.
    """

    def __init__(self, source: str | Path | int) -> None:
        self._cv2 = opencv()
        self.live = isinstance(source, int)
        if not isinstance(source, int) and not Path(source).is_file():
            raise ImageNotFoundError(
                expected="a video file or the number of a camera",
                got=f"{str(source)!r}, where there is no file",
                advice="check the path; cameras count from 0",
            )
        self._spelled = ExitStack()
        named = source if isinstance(source, int) else self._spelled.enter_context(_spelled(Path(source)))
        self._capture = self._cv2.VideoCapture(named)
        if not self._capture.isOpened():
            self.close()
            if self.live:
                raise ImageAccessError(
                    expected=f"camera {source}", got="none that opens", advice="check the number and who else uses it"
                )
            raise NotAnImageError(
                expected="a video that OpenCV reads",
                got=path_as_text(str(source)),
                advice="convert it, for instance to MP4",
            )
        count = float(self._capture.get(self._cv2.CAP_PROP_FRAME_COUNT))
        self.length = int(count) if np.isfinite(count) and 0 < count < 1e9 else 0
        rate = float(self._capture.get(self._cv2.CAP_PROP_FPS))
        self.rate = rate if np.isfinite(rate) and 0 < rate <= 1000 else 25.0
        self.damaged = 0

    def frames(self, every: int = 1) -> Iterator[Frame]:
        """Each `every`-th frame; the others are skipped without being decoded. A frame that cannot be read is passed over."""
        start, number, failed = time.monotonic(), 0, 0
        clock = _Clock(self.rate)
        while failed <= _GIVE_UP:
            wanted = number % every == 0
            if not self._capture.grab():
                # The end, unless the file says that more should come: then a frame is damaged.
                if self.live or number >= self.length:
                    return
                failed, number, self.damaged = failed + 1, number + 1, self.damaged + 1
                continue
            failed = 0
            at = (
                time.monotonic() - start
                if self.live
                else clock.at(number, self._capture.get(self._cv2.CAP_PROP_POS_MSEC))
            )
            if wanted:
                got, image_bgr = self._capture.retrieve()
                if got:
                    yield Frame(number, at, np.ascontiguousarray(image_bgr[..., ::-1]))
                else:
                    self.damaged += 1
            number += 1

    def close(self) -> None:
        """Let go of the file or the camera."""
        self._capture.release()
        self._spelled.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Clock:
    """Seconds of each frame from the first one: by the file's own times while they rise, else by the rate."""

    def __init__(self, rate: float) -> None:
        self._rate, self._first, self._last = rate, 0.0, -1.0

    def at(self, number: int, milliseconds: float) -> float:
        told = milliseconds / 1000
        if number == 0 and np.isfinite(told):
            self._first = told
        since = told - self._first
        self._last = since if np.isfinite(since) and since > self._last else max(self._last, number / self._rate)
        return self._last


def require_video_name(path: Path) -> None:
    """Look at a name's ending, which decides how frames are coded.

    Raises:
        OutputError: no video's.
    """
    if path.suffix.lower() not in (endings := (*_OTHERS, *_CODES)):
        raise OutputError(
            expected=f"a video's name, ending in {', '.join(endings)}",
            got=path_as_text(path),
            advice=f"write to {path_as_text(path.with_suffix('.mp4'))}",
        )


class VideoFile:
    """Writes a video of frames of one size.

    Args:
        path: ``.mp4``, ``.webm`` or ``.avi``; its folder is made.
        rate: frames per second.

    Attributes:
        code: how the frames are coded, four letters; "" before the first.

    Raises:
        OutputError: another ending.
    """

    def __init__(self, path: Path, rate: float) -> None:
        require_video_name(path)
        self._cv2, self._path, self._rate = opencv(), path, rate
        self._writer: Any = None
        self._spelled = ExitStack()
        self.code = ""

    def write(self, image_rgb: ImageRGB) -> None:
        """Append a frame.

        Raises:
            OutputError: the file cannot be written.
        """
        height, width = image_rgb.shape[:2]
        if self._writer is None:
            self._writer = self._open(width, height)
        self._writer.write(np.ascontiguousarray(image_rgb[..., ::-1]))

    def _open(self, width: int, height: int) -> Any:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        named = self._spelled.enter_context(_spelled(self._path))
        for code in _CODES.get(self._path.suffix.lower(), _IN_OTHERS):
            with _quiet():
                writer = self._cv2.VideoWriter(named, self._cv2.VideoWriter_fourcc(*code), self._rate, (width, height))
            if writer.isOpened():
                self.code = code
                return writer
            writer.release()
        self._spelled.close()
        raise OutputError(
            expected=f"to write a video to {path_as_text(self._path)}",
            got="a refusal",
            advice="look whether its folder may be written and its disk has room",
        )

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: its disk is full; OpenCV itself says nothing of that.
        """
        if self._writer is not None:
            self._writer.release()
        self._spelled.close()
        if self._writer is not None and shutil.disk_usage(self._path.parent).free < _A_LITTLE:
            raise OutputError(
                expected=f"room for the video {path_as_text(self._path)}",
                got="a full disk; the video is cut short",
                advice="make room and start again",
            )


@contextmanager
def _spelled(path: Path) -> Iterator[str]:
    """A name of a file that OpenCV can take: on one that is no valid Unicode it ends the whole program, so that one gets a link of another name."""
    if is_text(str(path)):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "film" + (path.suffix if is_text(path.suffix) else ""))
        link.symlink_to(path.absolute())
        yield str(link)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what FFmpeg writes about encoders that are not there off the terminal: it writes to the process's own standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def opencv() -> Any:
    """OpenCV, imported when it is first needed. Raises ExtraMissingError where it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `video`",
            got="an installation without OpenCV",
            advice='run `pip install "sameface[video]"`',
        ) from error
    return cv2

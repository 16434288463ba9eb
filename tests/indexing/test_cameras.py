"""Cameras that fail and come back; several at once; names without passwords."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from sameface.errors import SettingError
from sameface.indexing import cameras
from sameface.indexing.cameras import Cameras, named


class Fake:
    """Opens at some tries, then gives so many frames."""

    def __init__(self, plan: list[int]) -> None:
        self.plan, self.opened, self.lock = plan, 0, threading.Lock()

    def __call__(self, source):
        with self.lock:
            self.opened += 1
            frames = self.plan.pop(0) if self.plan else 0
        return FakeCapture(frames)


class FakeCapture:
    def __init__(self, frames: int) -> None:
        self.frames, self.released = frames, False

    def isOpened(self):  # noqa: N802  # as OpenCV calls it
        return self.frames > 0

    def read(self):
        if self.frames == 0:
            return False, None
        self.frames -= 1
        time.sleep(0.01)
        return True, np.full((4, 4, 3), (1, 2, 3), np.uint8)

    def release(self):
        self.released = True


def test_a_lost_camera_is_opened_again(monkeypatch):
    monkeypatch.setattr(cameras, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(cameras, "LONGEST_PAUSE", 0.05)
    fake = Fake([3, 0, 0, 3])
    seen = []
    with Cameras({"door": "rtsp://me:word@10.0.0.7/1"}, opened=fake) as open_ones:
        for look in open_ones.looks(seconds=20):
            seen.append(look)
            if [item.what for item in seen if item.what != "frame"] == ["lost", "back", "lost"]:
                break
    assert fake.opened >= 4
    frame = next(look for look in seen if look.what == "frame")
    assert frame.image_rgb is not None
    assert frame.image_rgb[0, 0].tolist() == [3, 2, 1]
    assert "word" not in repr(seen)


def test_several_cameras_are_seen_and_a_slow_reader_gets_the_newest():
    with Cameras({"a": 0, "b": 1}, opened=lambda source: FakeCapture(10_000)) as open_ones:
        names = set()
        for look in open_ones.looks(seconds=20):
            names.add(look.camera)
            time.sleep(0.05)
            if names == {"a", "b"}:
                break
        late = [look.at for look, _ in zip(open_ones.looks(seconds=20), range(4), strict=False)]
    assert late == sorted(late)


def test_names():
    assert named(["0", "1"]) == {"0": 0, "1": 1}
    for wrong in (["party.mp4"], ["0", "0"], ["rtsp://me:word@cam/1", "rtsp://cam/2"]):
        with pytest.raises(SettingError) as error:
            named(wrong)
        assert "word" not in str(error.value)
    with pytest.raises(SettingError):
        Cameras({})


def test_an_address_that_is_no_unicode_is_refused():
    """OpenCV itself ends the program on it."""
    with pytest.raises(SettingError, match="valid Unicode"):
        named(["rtsp://127.0.0.1:1/caf\udce9"])

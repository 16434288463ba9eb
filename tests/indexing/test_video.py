"""Frames of video files: their times, what is damaged, and what a slow film needs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from sameface import Gallery, Recognizer
from sameface.cli.watch import app
from sameface.errors import NotAnImageError, OutputError
from sameface.indexing.video import Video, VideoFile, _Clock
from tests.conftest import needed


@pytest.fixture
def cases(data: Path) -> Path:
    return needed(data / "cases", "the cases")


def test_the_times_are_the_files_own(cases: Path) -> None:
    """A rate that varies: the number of a frame over the mean rate told 2.56 s for 0.4."""
    with Video(cases / "vfr.mp4") as video:
        times = [frame.at for frame in video.frames()]
    capture = cv2.VideoCapture(str(cases / "vfr.mp4"))
    told = []
    while capture.grab():
        told.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    assert times == pytest.approx([at - told[0] for at in told])
    assert np.ptp(np.diff(times)) > 0.05  # the rate does vary


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="every file name is Unicode here")
def test_a_film_whose_name_is_no_unicode_is_written_and_read(tmp_path: Path) -> None:
    """OpenCV itself ends the program on such a name."""
    path = tmp_path / "caf\udce9" / "fil\udce9.avi"
    path.parent.mkdir()
    film = VideoFile(path, 5.0)
    for shade in (0, 100, 200):
        film.write(np.full((64, 64, 3), shade, np.uint8))
    film.close()
    with Video(path) as video:
        shades = [float(frame.image_rgb.mean()) for frame in video.frames()]
    assert shades == pytest.approx([0, 100, 200], abs=3)
    path.write_bytes(b"no film")
    with pytest.raises(NotAnImageError, match=r"fil\\xe9"):
        Video(path)


def test_a_video_that_cannot_be_written_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match=r"out\.mp4"):
        VideoFile(tmp_path / "out.txt", 5.0)
    film = VideoFile(tmp_path / "new" / "folder" / "out.avi", 5.0)  # made, as every output's folder is
    film.write(np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OutputError, match="full disk"):
        film.close()
    (tmp_path / "taken.avi").mkdir()
    with pytest.raises(OutputError, match="room"):
        VideoFile(tmp_path / "taken.avi", 5.0).write(np.zeros((64, 64, 3), np.uint8))


def test_each_other_frame_keeps_its_time(cases: Path) -> None:
    with Video(cases / "vfr.mp4") as video:
        every = [(frame.number, frame.at) for frame in video.frames()]
    with Video(cases / "vfr.mp4") as video:
        assert [(frame.number, frame.at) for frame in video.frames(3)] == every[::3]


def test_a_clock_without_times_goes_by_the_rate() -> None:
    clock = _Clock(10.0)
    assert [clock.at(number, 0.0) for number in range(4)] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_clock_never_goes_back_and_starts_at_the_first_frame() -> None:
    clock = _Clock(10.0)
    times = [clock.at(number, told) for number, told in enumerate((500.0, 600.0, 550.0, float("nan"), 1500.0))]
    assert times == pytest.approx([0.0, 0.1, 0.2, 0.3, 1.0])


def test_a_damaged_frame_ends_no_video(cases: Path) -> None:
    with Video(cases / "hole.avi") as video:
        numbers = [frame.number for frame in video.frames()]
        assert video.damaged == 1
        assert video.length == len(numbers) + 1
    assert numbers[-1] == video.length - 1


@pytest.fixture
def people(tmp_path: Path, photos: Path) -> Path:
    with Gallery(tmp_path / "people.db", recognizer=Recognizer()) as gallery:
        gallery.enroll("Obama", photos / "obama.jpg")
    return tmp_path / "people.db"


def test_a_damaged_frame_is_said(cases: Path, people: Path) -> None:
    done = CliRunner().invoke(app, [str(cases / "hole.avi"), "-g", str(people), "--every", "1"])
    assert done.exit_code == 0, done.output
    assert "1 frame could not be read" in done.stderr


def test_one_frame_a_second_names_people(cases: Path, people: Path) -> None:
    done = CliRunner().invoke(app, [str(cases / "fps1.avi"), "-g", str(people), "--json"])
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert ("named", "Obama") in [(event["kind"], event["name"]) for event in events]


def test_settings_that_can_name_nobody_are_said(cases: Path, people: Path) -> None:
    """Each frame was a track of its own, and nobody was named, without a word."""
    done = CliRunner().invoke(app, [str(cases / "fps1.avi"), "-g", str(people), "--every", "2", "--patience", "1.5"])
    assert done.exit_code == 0, done.output
    assert "nobody was named" in done.stderr
    assert "--enough 1" in done.stderr

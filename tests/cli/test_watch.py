"""A small film made of shipped portraits, watched."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from sameface import Gallery, Recognizer
from sameface.cli.watch import app
from sameface.errors import DamagedImageError, ImageAccessError, ImageNotFoundError, NotAnImageError


@pytest.fixture(scope="module")
def film(tmp_path_factory, request):
    """Obama for twelve frames, then nobody, then a stranger; the portraits drift as people do."""
    photos = request.getfixturevalue("photos")
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    for name, frames in (("obama2.jpg", 12), (None, 12), ("biden.jpg", 8)):
        picture = None if name is None else cv2.imread(str(photos / name))
        for number in range(frames):
            frame = cv2.UMat(240, 320, cv2.CV_8UC3).get() * 0 + 90
            if picture is not None:
                head = picture[int(picture.shape[0] * 0.1) :, :][: int(picture.shape[1] * 0.9)]
                frame[20:220, 40 + 3 * number : 240 + 3 * number] = cv2.resize(head, (200, 200))
            writer.write(frame.astype("uint8"))
    writer.release()
    return path


@pytest.fixture
def people(tmp_path, photos):
    with Gallery(tmp_path / "people.db", recognizer=Recognizer(operating_point=1.1)) as gallery:
        gallery.enroll("Obama", photos / "obama.jpg")
    return tmp_path / "people.db"


def test_a_video_is_coded_so_that_browsers_play_it(tmp_path, capfd):
    """H.264 and VP9 in MP4, VP8 in WebM: never the MPEG-4 of 1999, which no browser plays."""
    from sameface.indexing.video import VideoFile

    frames = [np.full((120, 160, 3), 20 * n, np.uint8) for n in range(8)]
    for name, codes in (("a.mp4", {"avc1", "vp09"}), ("b.webm", {"VP80"}), ("c.avi", {"MJPG"})):
        file = VideoFile(tmp_path / name, 8)
        for frame in frames:
            file.write(frame)
        file.close()
        assert file.code in codes
        read = cv2.VideoCapture(str(tmp_path / name))
        assert [read.grab() for _ in range(9)] == [True] * 8 + [False]
        read.release()
    assert capfd.readouterr().err == ""  # encoders that are not there are no news


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_a_film(film, people, tmp_path, ending):
    output = tmp_path / f"out.{ending}"
    done = CliRunner().invoke(
        app,
        [
            str(film),
            "-g",
            str(people),
            "--threshold",
            "1.1",
            "--every",
            "2",
            "--patience",
            "0.5",
            "-o",
            str(output),
            "--json",
        ],
    )
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    told = [(event["kind"], event["name"]) for event in events]
    assert told[:3] == [("appeared", None), ("named", "Obama"), ("left", "Obama")]
    assert ("named", "Obama") not in told[3:]  # the stranger stays nobody
    assert {event["kind"] for event in events[3:]} <= {"appeared", "left"}
    drawn = cv2.VideoCapture(str(output))
    assert int(drawn.get(cv2.CAP_PROP_FRAME_COUNT)) == 16
    drawn.release()


def test_a_film_most_of_which_cannot_be_read_is_no_success(film, people, tmp_path):
    whole = film.read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 4])
    done = CliRunner().invoke(app, [str(tmp_path / "cut.avi"), "-g", str(people), "--threshold", "1.1", "--json"])
    assert isinstance(done.exception, DamagedImageError)
    assert "appeared" in done.stdout  # what could be read was told


@pytest.mark.parametrize(
    ("source", "kind"), [("no.mp4", ImageNotFoundError), ("notes.txt", NotAnImageError), ("97", ImageAccessError)]
)
def test_what_cannot_be_watched(people, tmp_path, monkeypatch, source, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("not a video")
    done = CliRunner().invoke(app, [source, "-g", str(people), "--threshold", "1.1"])
    assert isinstance(done.exception, kind)

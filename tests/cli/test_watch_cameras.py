"""`sameface watch` with a camera on the network: a stream of JPEGs on loopback, which asks for a password."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import pytest
from typer.testing import CliRunner

from sameface import Gallery, Recognizer
from sameface.cli.watch import app
from sameface.errors import SettingError
from sameface.events import Outbox
from tests.ports import free_port


@pytest.fixture
def camera(photos) -> Iterator[str]:
    """Its address. It shows Obama, and hangs up now and then."""
    picture = cv2.resize(cv2.imread(str(photos / "obama2.jpg")), (313, 600))
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = "Basic " + base64.b64encode(b"me:s3cret").decode()
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for _ in range(15):
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                except OSError:
                    return
                time.sleep(0.2)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://me:s3cret@127.0.0.1:{server.server_address[1]}/stream.mjpg"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_camera_on_the_network(tmp_path, photos, camera, monkeypatch):
    with Gallery(tmp_path / "people.db", recognizer=Recognizer(operating_point=1.1)) as gallery:
        gallery.enroll("Obama", photos / "obama.jpg")
    monkeypatch.setenv("SAMEFACE_WEBHOOK_SECRET", "shared")
    nobody = f"http://hook:w0rd@127.0.0.1:{free_port()}/hook"
    box = tmp_path / "outbox.db"
    done = CliRunner().invoke(
        app,
        [
            f"door={camera}",
            "-g",
            str(tmp_path / "people.db"),
            "--threshold",
            "1.1",
            "--seconds",
            "6",
            "--json",
            "--to",
            nobody,
            "--outbox",
            str(box),
        ],
    )
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event["event"], event["camera"], event["name"]) for event in events if event["event"] == "known"] == [
        ("known", "door", "Obama")
    ]
    assert "s3cret" not in done.output
    assert "w0rd" not in done.output
    outbox = Outbox(box)
    assert len(outbox) == len(events), "each event waits until somebody has it"
    outbox.close()


def test_what_does_not_go_together(tmp_path, photos):
    with Gallery(tmp_path / "people.db", recognizer=Recognizer(operating_point=1.1)) as people:
        people.enroll("Obama", photos / "obama.jpg")
    for words in (
        ["0", "party.mp4"],
        ["rtsp://me:s3cret@127.0.0.1/1", "-o", "out.mp4"],
        ["0", "--to", "https://example.org/"],
    ):
        done = CliRunner().invoke(app, [*words, "-g", str(tmp_path / "people.db")])
        assert isinstance(done.exception, SettingError), done.output
        assert "s3cret" not in str(done.exception)

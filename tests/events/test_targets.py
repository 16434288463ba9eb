"""Webhooks that are signed and tried again, and MQTT through a broker of another maker."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sameface.errors import SettingError
from sameface.events import Outbox, Sender, is_signed, signature
from sameface.events.outbox import Waiting
from sameface.events.targets import target_of
from tests.ports import free_port

SECRET = b"shared"


class Receiver(ThreadingHTTPServer):
    """Keeps what comes; answers as it is told to, 200 when that is used up."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.got.append((dict(self.headers), body))
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.server_address[1]}/hook?x=1"


def test_a_signature_by_hand():
    by_hand = hmac.new(SECRET, b"12.{}", hashlib.sha256).hexdigest()
    assert signature(SECRET, b"{}", 12) == f"t=12,v1={by_hand}"
    assert not is_signed(SECRET, b"{} ", signature(SECRET, b"{}", 12), 12)
    assert not is_signed(b"other", b"{}", signature(SECRET, b"{}", 12), 12)
    assert not is_signed(SECRET, b"{}", signature(SECRET, b"{}", 12), 400), "an old one is of no use"


def test_webhooks_are_signed_and_tried_again_in_order(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sameface.events.outbox.FIRST_PAUSE", 0.05)
    receiver.statuses = [500, 302, 200]
    said: list[str] = []
    box = Outbox(tmp_path / "box.db")
    with Sender(box, [target_of(address(receiver), secret=SECRET)], say=said.append, pause=0.02) as sender:
        for number in range(3):
            sender.put(json.dumps({"number": number}).encode())
        until = time.monotonic() + 20
        while len(box) and time.monotonic() < until:
            time.sleep(0.02)
    assert [json.loads(body)["number"] for _, body in receiver.got] == [0, 1, 2]
    assert len({headers["Sameface-Event"] for headers, _ in receiver.got}) == 3
    assert all(is_signed(SECRET, body, headers["Sameface-Signature"], time.time()) for headers, body in receiver.got)
    assert len(said) == 2, "a failure and its end are said once each"
    assert len(box) == 0
    box.close()


def test_what_could_not_be_sent_waits_for_the_next_time(tmp_path: Path, receiver: Receiver):
    box = Outbox(tmp_path / "box.db")
    nobody = target_of(f"http://user:word@127.0.0.1:{free_port()}/", secret=SECRET)
    assert "word" not in nobody.name
    with Sender(box, [nobody], pause=0.02) as sender:
        sender.put(b"{}")
    assert len(box) == 1
    box.close()


@pytest.mark.parametrize("wrong", ["ftp://x/y", "mqtt://host", "https://", "file:///etc/passwd", ""])
def test_other_addresses_are_refused(wrong: str):
    with pytest.raises(SettingError):
        target_of(wrong, secret=SECRET)


def test_a_webhook_needs_a_secret():
    with pytest.raises(SettingError, match="SAMEFACE_WEBHOOK_SECRET"):
        target_of("https://example.org/hook")


@contextmanager
def broker(port: int) -> Iterator[None]:
    """A small broker on loopback, in a thread of its own."""
    amqtt = pytest.importorskip("amqtt.broker")
    loop = asyncio.new_event_loop()
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def made() -> Any:
        return amqtt.Broker(
            config, loop=loop
        )  # its futures belong to the loop that runs, whatever other tests left in this thread

    def done(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    try:
        running = done(made())
        done(running.start())
        try:
            yield
        finally:
            done(running.shutdown())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.filterwarnings("ignore")
def test_events_reach_a_broker():
    paho = pytest.importorskip("paho.mqtt.client")
    port = free_port()
    got: list[bytes] = []
    with broker(port):
        listener = paho.Client(paho.CallbackAPIVersion.VERSION2)
        there = threading.Event()
        listener.on_message = lambda client, data, message: got.append(message.payload)
        listener.on_subscribe = lambda *told: there.set()
        listener.connect("127.0.0.1", port)
        listener.subscribe("door/faces", qos=1)
        listener.loop_start()
        assert there.wait(20)
        target = target_of(f"mqtt://127.0.0.1:{port}/door/faces")
        assert target.send(Waiting(1, "id", target.name, b'{"kind":"known"}', 0)) == ""
        until = time.monotonic() + 20
        while not got and time.monotonic() < until:
            time.sleep(0.02)
        target.close()
        listener.disconnect()
        listener.loop_stop()
    assert got == [b'{"kind":"known"}']


@pytest.mark.filterwarnings("ignore")
def test_a_broker_that_is_not_there_is_said():
    pytest.importorskip("paho.mqtt.client")
    target = target_of(f"mqtt://me:word@127.0.0.1:{free_port()}/door")
    fault = target.send(Waiting(1, "id", target.name, b"{}", 0))
    assert fault
    assert "word" not in fault + target.name

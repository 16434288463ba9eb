"""A sender that is killed on its way: nothing that was acknowledged is lost, and what comes twice comes by the same id."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sameface.events import Outbox, is_signed
from sameface.events.signing import HEADER, ID_HEADER

SECRET = b"shared"
#: Puts numbered events and says each that was taken; ends when what waits is delivered.
SENDER = """
import sys, time
from pathlib import Path
from sameface.events import Outbox, Sender
from sameface.events.targets import target_of
path, address, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
box = Outbox(Path(path))
with Sender(box, [target_of(address, secret=b"shared")], pause=0.01) as sender:
    for number in range(first, first + count):
        sender.put(str(number).encode())
        print(number, flush=True)
    while len(box):
        time.sleep(0.01)
box.close()
"""
EVENTS, KILLS = 20, 6


class Receiver(ThreadingHTTPServer):
    """Keeps what comes, and kills the sender at the n-th event of its life: before it answers, or right after."""

    def __init__(self) -> None:
        self.got: list[tuple[int, str]] = []
        self.victim, self.at, self.before = 0, 0, True
        super().__init__(("127.0.0.1", 0), Handler)

    def aim(self, pid: int, at: int, *, before: bool) -> None:
        self.victim, self.at, self.before = pid, len(self.got) + at, before


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert is_signed(SECRET, body, self.headers[HEADER], time.time())
        self.server.got.append((int(body), self.headers[ID_HEADER]))
        hit = self.server.victim and len(self.server.got) >= self.server.at
        if hit and self.server.before:
            self.kill()
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        if hit and not self.server.before:
            self.kill()

    def kill(self) -> None:
        victim, self.server.victim = self.server.victim, 0
        if victim:
            os.kill(victim, signal.SIGKILL)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            """Its sender is dead."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_sender_loses_nothing_and_repeats_by_the_same_id(tmp_path: Path) -> None:
    path, draw, acknowledged = tmp_path / "box.db", random.Random(0), []
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{receiver.server_address[1]}/"
        for run in range(KILLS + 1):
            told = [str(path), address, str(run * EVENTS), str(EVENTS if run < KILLS else 0)]
            sender = subprocess.Popen([sys.executable, "-c", SENDER, *told], stdout=subprocess.PIPE)
            if run < KILLS:
                receiver.aim(sender.pid, draw.randint(1, EVENTS - 2), before=run % 2 == 0)
            said, _ = sender.communicate(timeout=60)
            assert sender.returncode == (0 if run == KILLS else -signal.SIGKILL)
            acknowledged += [int(number) for number in said.split()]
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()
    numbers = [number for number, _ in receiver.got]
    first = list(dict.fromkeys(numbers))
    assert set(acknowledged) <= set(first), "an acknowledged event never came"
    assert first == sorted(first), "an event came before one that was put in earlier"
    assert len(dict(receiver.got)) == len(set(receiver.got)), "a repeat came by another id"
    assert KILLS / 2 <= len(numbers) - len(first) <= KILLS, "the event on its way is repeated, no other"
    box = Outbox(path)
    assert len(box) == 0
    box.close()

"""The service under load, against the bare pipeline: identify one face against 100,000 people.

    python benchmarks/service_load.py [--people 100000] [--seconds 30] [--json out.json]

Bare: `Gallery.identify` on the bytes of one photo, from two threads, for as long. Service: the same photo over loopback from a process of its own,
one connection per client; the clients share the machine's cores with the service, as they do in the numbers. Three parts: sustained (each client
asks again at once), half load (arrivals at random moments, half as many per second as were sustained), overload (many more clients than the queue;
once they wait a second after a refusal, as `Retry-After` says, once they never do; somebody else asks for health ten times a second meanwhile).
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import multiprocessing
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sameface.gallery import NewPerson, open_store
from sameface.recognizer import Gallery
from sameface.service.desk import load_recognizer
from sameface.service.settings import Settings
from sameface.types import Template

ROOT = Path(__file__).resolve().parent.parent
BOUNDARY = "bench"


def photo_bytes() -> bytes:
    """A portrait of 640 pixels' height with one face."""
    with Image.open(ROOT / "examples/photos/obama.jpg") as picture:
        picture.thumbnail((640, 640))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def fill(path: Path, people: int) -> None:
    """A gallery of random directions: as many comparisons as real people would cost."""
    recognizer = load_recognizer(Settings(str(path.parent)))
    rng = np.random.default_rng(0)
    with open_store(path, space=recognizer.space, dimension=recognizer.card.dimension) as store:
        for start in range(0, people, 10_000):
            vectors = rng.normal(size=(min(10_000, people - start), recognizer.card.dimension)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            store.add_many([NewPerson(f"person {start + at}", [Template(row)]) for at, row in enumerate(vectors)])


def bare(path: Path, photo: bytes, seconds: float) -> float:
    """Photos per second of the pipeline itself, from two threads."""
    gallery = Gallery(path, recognizer=load_recognizer(Settings(str(path.parent))), create=False)
    gallery.identify(photo)
    done = [0, 0]
    end = time.perf_counter() + seconds

    def work(place: int) -> None:
        while time.perf_counter() < end:
            gallery.identify(photo)
            done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gallery.close()
    return sum(done) / seconds


def body_of(photo: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


class Asker:
    """One keep-alive connection, as cheap as can be: the client must not be what is measured."""

    def __init__(self, port: int, body: bytes) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.body = body

    def ask(self) -> tuple[int, float]:
        started = time.perf_counter()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        self.connection.request("POST", "/v1/galleries/bench/identify", self.body, headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - started


def closed_loop(port: int, body: bytes, clients: int, seconds: float, pause: float = 0.0) -> list[tuple[int, float]]:
    """Every client asks again as soon as it is answered, or so many seconds after a refusal."""
    answers: list[tuple[int, float]] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        asker = Asker(port, body)
        while time.perf_counter() < end:
            answers.append(asker.ask())
            if answers[-1][0] == 503:
                time.sleep(pause)

    run_all([threading.Thread(target=client) for _ in range(clients)])
    return answers


def open_loop(port: int, body: bytes, rate: float, seconds: float, seed: int = 0) -> list[tuple[int, float]]:
    """Arrivals at random moments; the time of an answer counts from its arrival, waiting for a free connection included."""
    draw = random.Random(seed)
    arrivals: list[float] = []
    at = 0.0
    while (at := at + draw.expovariate(rate)) < seconds:
        arrivals.append(at)
    answers: list[tuple[int, float]] = []
    lock, start = threading.Lock(), time.perf_counter() + 0.2

    def client() -> None:
        asker = Asker(port, body)
        while True:
            with lock:
                if not arrivals:
                    return
                due = start + arrivals.pop(0)
            time.sleep(max(0.0, due - time.perf_counter()))
            status, _ = asker.ask()
            answers.append((status, time.perf_counter() - due))

    run_all([threading.Thread(target=client) for _ in range(24)])
    return answers


def probe_health(port: int, seconds: float) -> list[tuple[int, float]]:
    """What a load balancer sees: a new connection ten times a second."""
    answers: list[tuple[int, float]] = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/v1/health")
        answers.append((connection.getresponse().status, time.perf_counter() - started))
        connection.close()
        time.sleep(0.1)
    return answers


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def apart(function: object, *arguments: object) -> list[tuple[int, float]]:
    """The answers of a load made by another process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)  # type: ignore[arg-type]


def serve(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a service and wait until it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sameface.cli", "serve", str(folder), "--port", str(port), *options]
    process = subprocess.Popen(
        [*command, "--rate", "1000000", "--burst", "1000000"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/v1/ready")
            if connection.getresponse().status == 200:
                return process, port
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


def stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(60)


def milliseconds(answers: list[tuple[int, float]], status: int = 200) -> dict[str, float]:
    times = sorted(seconds * 1000 for code, seconds in answers if code == status)
    if not times:
        return {"count": 0}
    return {
        "count": len(times),
        "median_ms": round(statistics.median(times), 1),
        "p99_ms": round(times[min(len(times) - 1, int(0.99 * len(times)))], 1),
        "max_ms": round(times[-1], 1),
    }


def overloaded(port: int, body: bytes, pid: int, pause: float) -> dict[str, object]:
    """128 clients for ten seconds."""
    before = resident_mb(pid)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        asked = pool.apply_async(probe_health, (port, 10.0))
        over = pool.apply(closed_loop, (port, body, 128, 10.0, pause))
        health = asked.get()
    return {
        "answered": milliseconds(over),
        "refused": milliseconds(over, 503),
        "others": sum(code not in (200, 503) for code, _ in over),
        "health": milliseconds(health),
        "unhealthy": sum(code != 200 for code, _ in health),
        "resident_mb": {"before": round(before, 1), "after": round(resident_mb(pid), 1)},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    photo = photo_bytes()
    body = body_of(photo)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bench.db"
        fill(path, options.people)
        pipeline = bare(path, photo, options.seconds)
        process, port = serve(path.parent)
        try:
            apart(closed_loop, port, body, 2, 3.0)  # warm
            sustained = apart(closed_loop, port, body, options.clients, options.seconds)
            throughput = sum(code == 200 for code, _ in sustained) / options.seconds
            half = apart(open_loop, port, body, throughput / 2, options.seconds)
            overload = {
                name: overloaded(port, body, process.pid, pause)
                for name, pause in (("heeding_retry_after", 1.0), ("heedless", 0.0))
            }
        finally:
            stop(process)
    half_ms = milliseconds(half)
    report = {
        "people": options.people,
        "bare_per_second": round(pipeline, 2),
        "service_per_second": round(throughput, 2),
        "share_of_bare": round(throughput / pipeline, 3),
        "sustained": milliseconds(sustained),
        "half_load": {**half_ms, "p99_over_median": round(half_ms["p99_ms"] / half_ms["median_ms"], 2)},
        "overload_128_clients": overload,
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

"""A day's work, to be watched: the service and its page, the main job at the shell, a training step.

Run as ``python -m tests.outside.errands PHOTOS``, in an empty folder.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from tests.ports import free_port

#: ONNX Runtime turns to its vendor some seven seconds after it was loaded; the service stays for twice as long.
LONG_ENOUGH = 15.0


def main(photos: Path) -> None:
    """Do everything once; an answer that is not expected ends it."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "sameface", "serve", "galleries", "--port", str(port)])
    try:
        began = time.monotonic()
        shell("doctor")
        shell("enroll", "Obama", photos / "obama.jpg")
        shell("identify", photos / "obama2.jpg", "--annotate", "named.png")
        shell("verify", photos / "obama.jpg", photos / "biden.jpg", code=1)
        shell("forget", "Obama")
        if importlib.util.find_spec("torch"):
            people(Path("people"))
            small = ("--size", "32", "--steps", "2", "--people", "2", "--photos", "2", "--patience", "1")
            shell("train", "people", "--out", "trained", *small)
        requests(f"http://127.0.0.1:{port}", photos)
        time.sleep(max(0.0, LONG_ENOUGH - (time.monotonic() - began)))
    finally:
        server.terminate()
        server.wait()


def shell(*words: str | Path, code: int = 0) -> None:
    """One command, and its exit code."""
    done = subprocess.run([sys.executable, "-m", "sameface", *words], check=False)
    if done.returncode != code:
        raise SystemExit(f"{words} ended with {done.returncode}")


def requests(url: str, photos: Path) -> None:
    """The page, and two photos compared; asked until the service is up."""
    with httpx.Client(base_url=url, timeout=60, transport=httpx.HTTPTransport(retries=10)) as client:
        for path in ("/", "/js/main.js", "/v1/ready"):
            client.get(path).raise_for_status()
        files = {
            name: (photos / f"{photo}.jpg").read_bytes()
            for name, photo in (("probe", "obama"), ("reference", "obama2"))
        }
        client.post("/v1/verify", files=files).raise_for_status()


def people(folder: Path) -> None:
    """Noise of six people, enough to train a step on."""
    random = np.random.default_rng(0)
    for person in range(6):
        (folder / str(person)).mkdir(parents=True)
        for photo in range(3):
            Image.fromarray(random.integers(0, 255, (32, 32, 3), np.uint8)).save(folder / str(person) / f"{photo}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

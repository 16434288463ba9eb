"""What stands in for the networks where bulk work is tested: photos of 4×4 pixels whose first pixel says how many faces they show."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from sameface.indexing.photos import Found, Job
from sameface.types import Box, EmbeddingSpace, Template

SPACE = EmbeddingSpace("made-up", "made-up", "made-up")
DIMENSION = 4


def photo(path: Path, faces: int, seed: int) -> Path:
    """Write a photo of so many faces; -1 makes one that cannot be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), np.uint8)
    pixels[0, 0, 0] = faces + 1
    Image.fromarray(pixels).save(path)
    return path


def made_up(job: Job) -> Found:
    """As many faces as the photo's first pixel says; a black pixel is a photo that cannot be read, now and later."""
    data = Path(job.path).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest in job.known:
        return Found(job.path, digest, (), known=True)
    with Image.open(job.path) as picture:
        count = int(np.asarray(picture)[0, 0, 0])
    if count == 0:
        return Found(job.path, digest, (), "expected a photo; got darkness. Turn on the light.", lasting=True)
    rows = np.random.default_rng(int(digest[:8], 16)).standard_normal((count - 1, DIMENSION)).astype(np.float32)
    return Found(job.path, digest, tuple(Template(row, job.path, digest, Box(0, 0, 1, 1)) for row in rows))


def slow(job: Job) -> Found:
    """Takes a moment, and says which process it is."""
    (Path(job.path).parents[1] / "pids" / str(os.getpid())).touch()
    time.sleep(random.random() * 0.03)
    return made_up(job)


def poisonous(job: Job) -> Found:
    """Kills the process that reads a photo of that name."""
    if job.path.endswith("poison.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return made_up(job)


def faulty(job: Job) -> Found:
    """Fails at one photo in a way that nobody foresaw."""
    if job.path.endswith("poison.png"):
        raise MemoryError("no room for it")
    return made_up(job)


@contextmanager
def killing(folder: Path, times: int, seed: int = 0) -> Iterator[list[int]]:
    """Kill so many workers at random moments, one after the other, each while it works.

    Gives the list of the killed. Workers show themselves in the folder, see `slow`.
    """
    folder.mkdir(exist_ok=True)
    killed: list[int] = []
    draw, ended = random.Random(seed), threading.Event()

    def kill() -> None:
        while len(killed) < times and not ended.is_set():
            alive = [int(entry.name) for entry in folder.iterdir() if int(entry.name) not in killed]
            if not alive:
                ended.wait(0.01)
                continue
            ended.wait(draw.random() * 0.2)
            victim = draw.choice(alive)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                (folder / str(victim)).unlink()
                continue
            killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()

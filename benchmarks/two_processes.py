"""How two processes of one training end: many runs of the worker that the tests run, each exit code and each word on stderr counted.

python benchmarks/two_processes.py --runs 20
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--loss", default="triplet")
    arguments = parser.parse_args()
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    ends: Counter[int] = Counter()
    spoken = 0
    with tempfile.TemporaryDirectory() as folder:
        for run in range(arguments.runs):
            start = time.monotonic()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
                    *("--nproc-per-node", str(arguments.processes), "--local-addr", "127.0.0.1"),
                    *(str(ROOT / "tests" / "training" / "distributed_worker.py"), folder),
                    arguments.loss,
                ],
                env=environment,
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            ends[done.returncode] += 1
            # What a process that was torn down too early says: an abort, a signal, a traceback.
            words = [
                line
                for line in done.stderr.splitlines()
                if any(word in line for word in ("Traceback", "terminate called", "Signal", "SIGABRT", "Error"))
            ]
            spoken += bool(words)
            print(
                f"run {run + 1}: exit {done.returncode}, {time.monotonic() - start:.1f} s {' | '.join(words[:2])}",
                flush=True,
            )
    print(f"{arguments.runs} runs: exit codes {dict(ends)}, {spoken} with an error on stderr")
    sys.exit(0 if ends[0] == arguments.runs and not spoken else 1)


if __name__ == "__main__":
    main()

"""Time and memory of one whole process, measured from a small one: the system counts a parent's memory into its child's peak.

python benchmarks/whole_process.py COMMAND …    prints {"seconds": …, "peak_mb": …}
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def whole_process(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds from start to exit, and the peak of resident memory in MB.

    Raises:
        RuntimeError: the command ended with another code than 0.
    """
    done = subprocess.run(
        [sys.executable, "-S", str(Path(__file__).resolve()), *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
    found = json.loads(done.stdout)
    return found["seconds"], found["peak_mb"]


def main() -> None:
    start = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(process.returncode)
    print(json.dumps({"seconds": seconds, "peak_mb": usage.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()

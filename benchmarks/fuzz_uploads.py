"""Ten thousand hostile uploads against a running service: no crash, no 5xx, no leak.

python benchmarks/fuzz_uploads.py [--count 10000] [--seed 0] [--json out.json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx
from service_load import ROOT, resident_mb, serve, stop

sys.path.insert(0, str(ROOT))
from tests.service.mutations import uploads


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    statuses: dict[str, int] = {}
    faults: list[str] = []
    sizes: list[float] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        process, port = serve(Path(folder))
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as http:
                for number, (kind, body, how) in enumerate(
                    uploads(ROOT / "examples/photos", options.count, options.seed)
                ):
                    answer = http.post("/v1/detect", content=body, headers={"Content-Type": kind})
                    statuses[str(answer.status_code)] = statuses.get(str(answer.status_code), 0) + 1
                    if answer.status_code >= 500:
                        faults.append(f"{number}: {how}: {answer.status_code}")
                    if number % max(1, options.count // 50) == 0:
                        sizes.append(round(resident_mb(process.pid), 1))
                alive = http.get("/v1/health").status_code == 200
        finally:
            stop(process)
    report = {
        "count": options.count,
        "seed": options.seed,
        "statuses": statuses,
        "faults": faults[:20],
        "alive": alive,
        "resident_mb": {"start": sizes[0], "after_a_fifth": sizes[len(sizes) // 5], "end": sizes[-1], "all": sizes},
        "seconds": round(time.monotonic() - started, 1),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    sys.exit(bool(faults) or not alive)


if __name__ == "__main__":
    main()

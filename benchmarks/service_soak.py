"""Ten minutes of mixed work at about half load: does memory stay flat?

    python benchmarks/service_soak.py [--minutes 10] [--json out.json]

Each round identifies, verifies, enrolls and forgets somebody, lists people, and sends one photo that is broken. The resident size of the service is
read every five seconds; the slope is fitted over the last four fifths, when caches are filled.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
from service_load import photo_bytes, resident_mb, serve, stop


def work(url: str, photo: bytes, end: float, counts: dict[str, int], number: int) -> None:
    with httpx.Client(base_url=url, timeout=120) as http:
        turn = 0
        while time.monotonic() < end:
            turn += 1
            gallery = f"/v1/galleries/soak-{number}"
            steps = [
                ("POST", f"{gallery}/identify", {"files": {"photo": photo}}),
                ("POST", "/v1/verify", {"files": {"probe": photo, "reference": photo}}),
                ("POST", f"{gallery}/people", {"data": {"name": f"turn {turn}"}, "files": {"photos": photo}}),
                ("GET", f"{gallery}/people", {}),
                ("POST", "/v1/detect", {"files": {"photo": photo[: len(photo) // 2]}}),
            ]
            for method, path, request in steps:
                try:
                    answer = http.request(method, path, **request)
                except httpx.TransportError as error:  # counted, not forgiven: it stands in the report
                    counts[type(error).__name__] = counts.get(type(error).__name__, 0) + 1
                    continue
                counts[str(answer.status_code)] = counts.get(str(answer.status_code), 0) + 1
                if path.endswith("/people") and answer.status_code == 201:
                    http.delete(f"{gallery}/people/{answer.json()['person']['person_id']}")
            time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    photo, counts = photo_bytes(), {}
    with tempfile.TemporaryDirectory() as folder:
        process, port = serve(Path(folder))
        try:
            url = f"http://127.0.0.1:{port}"
            for number in range(2):
                httpx.post(f"{url}/v1/galleries", json={"name": f"soak-{number}"}, timeout=60).raise_for_status()
            end = time.monotonic() + 60 * options.minutes
            threads = [threading.Thread(target=work, args=(url, photo, end, counts, number)) for number in range(2)]
            for thread in threads:
                thread.start()
            sizes = []
            while time.monotonic() < end:
                sizes.append((time.monotonic(), resident_mb(process.pid)))
                time.sleep(5)
            for thread in threads:
                thread.join()
        finally:
            stop(process)
    settled = np.array(sizes[len(sizes) // 5 :])
    slope = float(np.polyfit(settled[:, 0] / 60, settled[:, 1], 1)[0]) if len(settled) > 2 else float("nan")
    report = {
        "minutes": options.minutes,
        "requests_by_status": counts,
        "resident_mb": {
            "after_a_fifth": round(float(settled[0, 1]), 1),
            "median": round(statistics.median(settled[:, 1]), 1),
            "end": round(float(settled[-1, 1]), 1),
            "each_half_minute": [round(size, 1) for _, size in sizes[::6]],
        },
        "slope_mb_per_minute": round(slope, 3),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

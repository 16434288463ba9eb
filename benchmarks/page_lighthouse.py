"""What Lighthouse says of every view of the service's page: performance, accessibility, best practices.

    python benchmarks/page_lighthouse.py [--form desktop|mobile] [--out lighthouse.json]

Needs Node, Chromium and `npm install --prefix DIR lighthouse` with DIR in $LIGHTHOUSE. Run it alone: performance is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "examples" / "photos"
VIEWS = ("compare", "identify", "live", "enroll", "people", "person", "presence", "about", "reference")
CATEGORIES = ("performance", "accessibility", "best-practices")


def wait_for(url: str) -> None:
    """Until it answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"nobody answers at {url}")


def scores(lighthouse: str, url: str, form: str) -> dict[str, Any]:
    """Each category's score, and what cost points."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [
            *(
                lighthouse,
                url,
                "--quiet",
                "--output=json",
                f"--output-path={out}",
                f"--only-categories={','.join(CATEGORIES)}",
            ),
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
            *(["--preset=desktop"] if form == "desktop" else []),
        ]
        chrome = {"CHROME_PATH": os.environ.get("SAMEFACE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"}
        subprocess.run(command, check=True, env=os.environ | chrome)
        report = json.loads(out.read_text(encoding="utf-8"))
    found: dict[str, Any] = {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}
    weighed = {item["id"] for name in CATEGORIES for item in report["categories"][name]["auditRefs"] if item["weight"]}
    found["lost at"] = {
        name: audit.get("displayValue") or audit["score"]
        for name, audit in report["audits"].items()
        if name in weighed and audit["score"] is not None and audit["score"] < 0.9
    }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=("desktop", "mobile"), default="desktop")
    parser.add_argument("--views", nargs="*", default=VIEWS)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    program = Path(os.environ.get("LIGHTHOUSE", ".")) / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        raise SystemExit(f"no Lighthouse at {program}: npm install --prefix DIR lighthouse, and LIGHTHOUSE=DIR")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder) / "galleries" / "people.db"
        people.parent.mkdir()
        command = [sys.executable, "-m", "sameface"]
        enroll = [*command, "enroll", "Barack Obama", str(PHOTOS / "obama.jpg"), "--gallery", str(people), "--json"]
        person = json.loads(subprocess.run(enroll, check=True, capture_output=True).stdout)
        who = (person[0] if isinstance(person, list) else person)["person"]["person_id"]
        service = subprocess.Popen(
            [*command, "serve", str(people.parent), "--port", str(port)], stderr=subprocess.DEVNULL
        )
        try:
            wait_for(f"{url}/v1/ready")
            found = {}
            for view in asked.views:
                part = f"{view}?id={who}" if view == "person" else view
                found[view] = scores(str(program), f"{url}/#{part}", asked.form)
                print(view, found[view], flush=True)
        finally:
            service.terminate()
            service.wait(30)
    if asked.out:
        asked.out.write_text(json.dumps({"form": asked.form, "views": found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

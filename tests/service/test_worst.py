"""One request never takes over 512 MB: 30 MB of JSON took 21.7 GB, two kilobytes of WebP a gigabyte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_MB = 512


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read from Linux's /proc")
def test_the_worst_requests_stay_within_their_memory():
    done = subprocess.run(
        [sys.executable, "-m", "tests.service.worst", "--small"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    took = json.loads(done.stdout.splitlines()[-1])["took_mb"]
    assert len(took) > 30
    assert {name: megabytes for name, (_, megabytes) in took.items() if megabytes > LIMIT_MB} == {}
    assert {name: status for name, (status, _) in took.items() if status not in (200, 413, 415, 422)} == {}

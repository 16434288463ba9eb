"""Large blocks that a step frees are there for the next one."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from sameface.training.loop import memory
from sameface.training.loop.memory import keep_memory

#: Frees and takes 40 MB ten times; prints how many pages the system had to hand out for that. By its file: its room would import PyTorch.
_PROGRAM = """
import ctypes, resource, runpy, sys
keep_memory = runpy.run_path(sys.argv[2])["keep_memory"]
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
if sys.argv[1] == "kept" and not keep_memory():
    raise SystemExit("not asked")
def once():
    block = libc.malloc(40_000_000)
    ctypes.memset(block, 1, 40_000_000)
    libc.free(block)
once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks glibc")
def test_a_block_is_mapped_once() -> None:
    faults = {
        kind: int(
            subprocess.run(
                [sys.executable, "-c", _PROGRAM, kind, memory.__file__], capture_output=True, check=True
            ).stdout
        )
        for kind in ("plain", "kept")
    }
    assert faults["kept"] < 100  # of some 10,000 pages in a block
    assert faults["plain"] > 100 * max(faults["kept"], 1) or faults["plain"] > 10_000


def test_where_malloc_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_memory()

"""Pillow's memory: kept once, and never against what somebody else has set."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = "from PIL import Image; from sameface.imaging.memory import keep_blocks; {before}; keep_blocks(); print(Image.core.get_blocks_max())"


def kept(before: str = "pass", **environment: str) -> int:
    """Blocks that Pillow keeps afterwards, in a process of its own."""
    command = [sys.executable, "-c", ASK.format(before=before)]
    path = {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}
    return int(subprocess.run(command, env=environment | path, check=True, capture_output=True, text=True).stdout)


def test_blocks_are_kept() -> None:
    assert kept() == 32


@pytest.mark.parametrize("name", ["PILLOW_BLOCKS_MAX", "PILLOW_BLOCK_SIZE"])
def test_the_environment_comes_first(name: str) -> None:
    assert kept(**{name: "65536" if name.endswith("SIZE") else "0"}) == 0


def test_what_the_program_has_set_stays() -> None:
    assert kept("Image.core.set_blocks_max(5)") == 5

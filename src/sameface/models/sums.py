"""Whether a file in the cache is still what was written: a check sum beside it.

CRC-32 finds what disks and copies do to a file (a change goes unseen once in four billion) in a quarter of the time of a SHA-256. It is no
protection against somebody who may write into the cache: who may do that may replace the check sum, too.
"""

from __future__ import annotations

import mmap
import zlib
from pathlib import Path

from sameface.files import atomic_write


def sum_of(path: Path) -> str:
    """Size and CRC-32 of a file, in words of one line.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        if not size:
            return "0 00000000"
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return f"{size} {zlib.crc32(mapped):08x}"


def write_sum(path: Path) -> None:
    """Write the check sum of a file beside it."""
    with atomic_write(_beside(path), everybody=True) as part:
        part.write_text(sum_of(path), encoding="ascii")


def is_whole(path: Path) -> bool | None:
    """Whether a file is what its check sum says; None where it has none."""
    try:
        return _beside(path).read_bytes() == sum_of(path).encode()
    except FileNotFoundError:
        return None


def remove_with_sum(path: Path) -> None:
    """Delete a file and its check sum."""
    path.unlink(missing_ok=True)
    _beside(path).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.crc32")

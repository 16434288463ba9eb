"""A new gallery on a disk without room: made whole or not at all. The disk is real, and small."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sameface.errors import StorageFullError
from sameface.gallery import open_store
from sameface.types import EmbeddingSpace
from tests.left_out import lacking


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a disk of so many kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(kilobytes: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            lacking("the right to mount a disk", "run them as root")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


# 100: the log fits, the file it is copied into does not.
@pytest.mark.parametrize("kilobytes", [36, 64, 100])
def test_a_gallery_is_made_whole_or_not_at_all(disk: Callable[[int], Path], kilobytes: int) -> None:
    folder = disk(kilobytes)
    with pytest.raises(StorageFullError):
        open_store(folder / "people.db", space=EmbeddingSpace("e", "d", "a"), dimension=4)
    assert list(folder.iterdir()) == []

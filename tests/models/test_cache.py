"""What is converted is kept with a check sum, and made again when it is damaged."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sameface.models.cache import announce_conversions, cached, damaged_in_cache
from sameface.models.sums import is_whole, sum_of
from sameface.progress import Share


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What people were told."""
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    told: list[str] = []

    @contextmanager
    def announce(what: str) -> Iterator[Share]:
        told.append(what)
        yield lambda share: None

    announce_conversions(announce)
    yield told
    announce_conversions(None)


def make(target: Path, tell: Share) -> None:
    target.write_bytes(b"converted" * 1000)


def test_made_once(said: list[str]) -> None:
    path = cached("n-1234.npz", make, what="n")
    assert cached("n-1234.npz", make, what="n") == path
    assert said == ["n"]
    assert is_whole(path)


def test_one_changed_byte_is_seen_said_and_mended(said: list[str]) -> None:
    path = cached("n-1234.npz", make, what="n")
    with path.open("r+b") as file:
        file.seek(4000)
        file.write(b"\x00")
    assert damaged_in_cache() == [path]
    cached("n-1234.npz", make, what="n")
    assert said == ["n", "n again, its cached copy was damaged"]
    assert path.read_bytes() == b"converted" * 1000
    assert damaged_in_cache() == []


@pytest.mark.parametrize("content", [b"", b"converted" * 999])
def test_a_file_that_was_cut_is_seen(said: list[str], content: bytes) -> None:
    path = cached("n-1234.npz", make, what="n")
    path.write_bytes(content)
    cached("n-1234.npz", make, what="n")
    assert path.stat().st_size == 9000


def test_a_file_without_a_check_sum_is_made_again(said: list[str]) -> None:
    """Its writer was stopped between the two, or knew no check sums."""
    path = cached("n-1234.npz", make, what="n")
    path.with_name("n-1234.npz.crc32").unlink()
    cached("n-1234.npz", make, what="n")
    assert said == ["n", "n"]


def test_the_sum_is_zlibs(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123456789")
    assert sum_of(tmp_path / "a") == "9 cbf43926"  # the check value of CRC-32, in every table of them
    assert zlib.crc32(b"123456789") == 0xCBF43926

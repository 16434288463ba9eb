"""Crops that were cut out once: kept in a file, so that the next start finds no face again and no memory holds them all.

A store is a folder with ``rows.bin``, one row of equal length after another, and ``index.json``, which says whose photo each row was
cut from. Photos that changed since (size or time) are cut out again; those that gave nothing are remembered with the reason. Crops
of faces are biometric data: a store lies in the cache folder, readable by its owner alone, and deleting the folder erases it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.datasets.photo import PackedPhoto, Photo, photo_as_text
from sameface.errors import FaceError, ImageError, OutputError, ReaderMissingError, SamefaceError
from sameface.file_locks import lock, unlock
from sameface.files import atomic_write, cache_folder
from sameface.plain import known
from sameface.progress import Tally
from sameface.training.pictures.decoded import cores

FORMAT: Final = 1
#: Photos between two writings of the index: what a kill loses.
_KEEP_EVERY: Final = 2000

Row = npt.NDArray[Any]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What became of one photo.

    Attributes:
        stamp: size and time of its file, in which a change shows.
        row: its row, -1 where it gave none.
        reason: why it gave none.
    """

    stamp: str
    row: int
    reason: str = ""


class Index(msgspec.Struct, array_like=True):
    """What ``index.json`` holds."""

    format: int
    words: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    photos: dict[str, Entry] = {}
    rows: int = 0


class StoredPixels:
    """Rows of a store, read when they are asked for.

    Args:
        file: ``rows.bin``.
        rows: ``(n,)`` the place of each picture in it.
        shape: of one row.
        dtype: of its numbers, as NumPy names it.
        fingerprint: what tells these pictures from others.
    """

    def __init__(
        self, file: Path, rows: npt.NDArray[np.int64], shape: tuple[int, ...], dtype: str, fingerprint: str
    ) -> None:
        self._file, self._rows, self._row_shape, self._dtype = file, rows, shape, np.dtype(dtype)
        self._bytes = int(np.prod(shape)) * self._dtype.itemsize
        self.fingerprint = fingerprint

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._rows), *self._row_shape)

    @property
    def dtype(self) -> torch.dtype:
        return torch.from_numpy(np.empty(0, self._dtype)).dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Tensor) -> Tensor:
        wanted = self._rows[rows.numpy()]
        out = np.empty((len(wanted), *self._row_shape), self._dtype)
        if not len(wanted):
            return torch.from_numpy(out)
        bytes_of = out.reshape(len(wanted), -1).view(np.uint8)
        with self._file.open("rb", buffering=0) as file:
            for place in np.argsort(wanted, kind="stable"):
                file.seek(int(wanted[place]) * self._bytes)
                _fill(file, bytes_of[place].data, self._file)
        return torch.from_numpy(out)


def _fill(file: IO[bytes], into: memoryview, path: Path) -> None:
    while into:
        count = file.readinto(into)  # type: ignore[attr-defined]
        if not count:
            raise OutputError(
                expected=f"whole rows in {path}",
                got="a file that was cut short",
                advice="delete its folder; it is made again",
            )
        into = into[count:]


def store_folder(data: Path, words: str) -> Path:
    """Where the crops of a data set lie.

    Args:
        data: the data set.
        words: everything that moves a pixel: detector, alignment, side.
    """
    key = hashlib.sha256(f"{data.absolute()}\n{words}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return cache_folder() / "crops" / f"{data.absolute().name or 'data'}-{key}"


def stored_pixels(
    photos: Sequence[Photo],
    read: Callable[[Sequence[Photo]], Iterator[Row | Exception]],
    folder: Path,
    *,
    words: str,
    progress: Tally | None = None,
) -> tuple[StoredPixels, list[int], dict[int, str]]:
    """Crops of photos, those that were not cut out before now.

    Args:
        photos: whose crops.
        read: gives a row or what went wrong, for each photo of a sequence, in order.
        folder: the store.
        words: see `store_folder`.
        progress: told (done, all) of the photos that must be read.

    Returns:
        The crops; the number of the photo that each is of; and why the other photos have none, by their numbers.

    Raises:
        OutputError, StorageFullError: the store cannot be written.
    """
    stamps = [_stamp(photo) for photo in photos]
    names = [photo_as_text(photo) for photo in photos]
    with _store(folder, words) as (index, rows_file):
        missing = [
            number
            for number, (name, stamp) in enumerate(zip(names, stamps, strict=True))
            if (known := index.photos.get(name)) is None or known.stamp != stamp
        ]
        done = 0
        passing: dict[int, str] = {}
        for start in range(0, len(missing), _KEEP_EVERY):
            part = missing[start : start + _KEEP_EVERY]
            try:
                for number, answer in zip(part, read([photos[number] for number in part]), strict=True):
                    if isinstance(answer, Exception) and not isinstance(answer, SamefaceError):
                        passing[number] = str(answer)  # a disk that was away, say: tried again at the next start
                    else:
                        index.photos[names[number]] = _kept(index, rows_file, stamps[number], answer)
                    done += 1
                    if progress is not None:
                        progress(done, len(missing))
            finally:  # what was read so far is kept, whatever stopped it
                rows_file.flush()
                os.fsync(rows_file.fileno())
                _write_index(folder, index)
        entries = [
            Entry("", -1, passing[number]) if number in passing else index.photos[name]
            for number, name in enumerate(names)
        ]
        shape, dtype = index.shape, index.dtype
    there = [number for number, entry in enumerate(entries) if entry.row >= 0]
    without = {number: entry.reason for number, entry in enumerate(entries) if entry.row < 0}
    told = "\n".join(f"{names[number]} {stamps[number]}" for number in there)
    fingerprint = hashlib.blake2b(f"{words}\n{told}".encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    rows = np.array([entries[number].row for number in there], dtype=np.int64)
    return StoredPixels(folder / "rows.bin", rows, shape, dtype or "uint8", fingerprint), there, without


def in_threads(
    read: Callable[[Photo], Row], threads: int | None
) -> Callable[[Sequence[Photo]], Iterator[Row | Exception]]:
    """A reader of many from a reader of one; `threads` at once, None for as many as there are cores."""

    def attempt(photo: Photo) -> Row | Exception:
        try:
            return read(photo)
        except (ImageError, FaceError, ValueError, OSError) as error:
            return error

    def many(photos: Sequence[Photo]) -> Iterator[Row | Exception]:
        with ThreadPoolExecutor(threads or cores(), "sameface-read") as pool:
            yield from pool.map(attempt, photos)

    return many


def _kept(index: Index, file: IO[bytes], stamp: str, answer: Row | Exception) -> Entry:
    if isinstance(answer, Exception):  # under no stamp it is read again, once its reader is installed
        return Entry("" if isinstance(answer, ReaderMissingError) else stamp, -1, str(answer))
    if not index.shape:
        index.shape, index.dtype = tuple(answer.shape), answer.dtype.str
    file.write(np.ascontiguousarray(answer).data)
    index.rows += 1
    return Entry(stamp, index.rows - 1)


def _stamp(photo: Photo) -> str:
    about = (photo.file if isinstance(photo, PackedPhoto) else photo).stat()
    return f"{about.st_size} {about.st_mtime_ns}"


@contextmanager
def _store(folder: Path, words: str) -> Iterator[tuple[Index, IO[bytes]]]:
    """The store, locked against other trainings, its rows cut to what the index knows of."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / "lock").open("wb") as guard:
            lock(guard)
            try:
                index = _read_index(folder, words)
                row = int(np.prod(index.shape)) * np.dtype(index.dtype or "u1").itemsize if index.shape else 0
                descriptor = os.open(folder / "rows.bin", os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
                with os.fdopen(descriptor, "r+b") as rows:
                    if rows.seek(0, os.SEEK_END) < index.rows * row:
                        index.photos, index.rows = {}, 0
                    rows.truncate(index.rows * row)
                    rows.seek(index.rows * row)
                    yield index, rows
            finally:
                unlock(guard)
    except OSError as error:
        raise OutputError(
            expected=f"to keep crops in {folder}",
            got=error.strerror or str(error),
            advice="free some space, or set SAMEFACE_CACHE to another folder",
        ) from error


def _read_index(folder: Path, words: str) -> Index:
    try:
        found = msgspec.json.decode((folder / "index.json").read_bytes(), type=known(Index))
    except (OSError, msgspec.DecodeError):
        return Index(FORMAT, words)
    return found if (found.format, found.words) == (FORMAT, words) else Index(FORMAT, words)


def _write_index(folder: Path, index: Index) -> None:
    with atomic_write(folder / "index.json") as part:
        part.write_bytes(msgspec.json.encode(index))

"""The search matrix on disk, beside the gallery: opened by mapping it instead of reading a million rows.

A cache and nothing more: it is checked whenever it is opened, thrown away when anything about it is odd, and made again from the record. It holds
biometric data, so it is the owner's only, is never written for an encrypted gallery, and forgotten people are overwritten in it in place.

Layout, little-endian: a header of 4096 bytes; the sums of the body, one uint64 for each MiB; then, each from a multiple of 4096 bytes on,
template ids (int64), person keys (int64), check sums (uint32), ‖x‖² (float32) and the matrix (float32, row by row).
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from sameface import file_locks
from sameface.errors import GalleryReadOnlyError
from sameface.gallery.exact.segment import Segment
from sameface.gallery.sqlite.history import Moment
from sameface.gallery.sqlite.record import NOBODY

_MAGIC: Final = b"sameface cache 2"
_HEADER: Final = struct.Struct("<16s 32s q q q q q q 24s")
_PAGE: Final = 4096
_SUMMED: Final = 1 << 20
_KINDS: Final = (
    ("ids", np.dtype("<i8")),
    ("keys", np.dtype("<i8")),
    ("crcs", np.dtype("<u4")),
    ("sq_norms", np.dtype("<f4")),
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a cache was made from.

    Attributes:
        gallery_id, epoch, dimension: the gallery's own.
        seen_template, seen_change: the last ones that the cache has taken in.
        moment: the state of the gallery; tells a restored backup from the file that the cache was made of.
    """

    gallery_id: str
    epoch: int
    dimension: int
    seen_template: int
    seen_change: int
    moment: Moment


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the parts lie for a number of rows."""

    count: int
    dimension: int

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Offset and length in bytes by name, from the start of the body."""
        place, found = 0, {}
        for name, size in [*((name, kind.itemsize) for name, kind in _KINDS), ("matrix", 4 * self.dimension)]:
            found[name] = (place, size * self.count)
            place += -(-size * self.count // _PAGE) * _PAGE
        return found

    @property
    def body_bytes(self) -> int:
        offset, length = self.parts["matrix"]
        return offset + -(-length // _PAGE) * _PAGE

    @property
    def sums(self) -> int:
        return -(-self.body_bytes // _SUMMED)

    @property
    def body_at(self) -> int:
        return _PAGE + -(-8 * self.sums // _PAGE) * _PAGE


def write(path: Path, stamp: Stamp, segments: Sequence[Segment]) -> bool:
    """Write a cache of everything that is alive. Returns False, and writes nothing, where another process is at it or the folder is not writable."""
    part = path.with_name(path.name + ".part")
    try:
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    except OSError:
        return False
    with file:
        if not file_locks.try_lock(file):
            return False
        try:
            file.truncate(0)
            _write_body(file, stamp, segments)
            part.replace(path)
        except OSError:  # a full disk: a gallery works without a cache
            with suppress(OSError):
                part.unlink()
            return False
    return True


def _write_body(file: IO[bytes], stamp: Stamp, segments: Sequence[Segment]) -> None:
    living = [segment.alive[: segment.count] for segment in segments]
    layout = _Layout(int(sum(mask.sum() for mask in living)), stamp.dimension)
    file.truncate(layout.body_at + layout.body_bytes)
    for name, (offset, _) in layout.parts.items():
        place = layout.body_at + offset
        for segment, mask in zip(segments, living, strict=True):
            rows = getattr(segment, name)
            for start in range(0, len(mask), 65536):
                chosen = mask[start : start + 65536]
                block = rows[start : start + 65536]
                if len(block) > len(chosen):
                    block = block[: len(chosen)]
                raw = np.ascontiguousarray(block if chosen.all() else block[chosen])
                place += _write_at(file, raw, place)
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with the last array that looks at it
    sums = _sums(np.frombuffer(mapped, np.uint8, layout.body_bytes, layout.body_at))
    _write_at(file, sums, _PAGE)
    _write_at(file, np.frombuffer(_header(stamp, layout.count), np.uint8), 0)


def _write_at(file: IO[bytes], raw: npt.NDArray[np.generic], place: int) -> int:
    """Write an array at a place of a file without a buffer. Returns its bytes."""
    view = raw.reshape(-1).view(np.uint8).data if raw.size else memoryview(b"")
    done = 0
    file.seek(place)
    while done < len(view):
        done += file.write(view[done : done + (1 << 28)])
    return done


def _read_at(file: IO[bytes], length: int, place: int) -> bytes:
    """So many bytes from a place on."""
    file.seek(place)
    parts = []
    while length and (part := file.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _header(stamp: Stamp, count: int) -> bytes:
    fields = (
        _MAGIC,
        stamp.gallery_id.encode(),
        stamp.epoch,
        stamp.dimension,
        count,
        stamp.seen_template,
        stamp.seen_change,
        stamp.moment.seq,
        stamp.moment.link,
    )
    packed = _HEADER.pack(*fields)
    return packed + zlib.crc32(packed).to_bytes(4, "little")


def _read_header(raw: bytes) -> tuple[Stamp, int] | None:
    packed, crc = raw[: _HEADER.size], raw[_HEADER.size : _HEADER.size + 4]
    if len(crc) < 4 or zlib.crc32(packed) != int.from_bytes(crc, "little") or not packed.startswith(_MAGIC):
        return None
    _, gallery_id, epoch, dimension, count, template, change, seq, link = _HEADER.unpack(packed)
    return Stamp(gallery_id.decode(), epoch, dimension, template, change, Moment(seq, link)), count


def _sums(body: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The sum, modulo 2⁶⁴, of each MiB's words: any one changed word changes it, at the speed of memory."""
    words = body.view("<u8")
    whole = len(words) // (_SUMMED // 8)
    sums = words[: whole * (_SUMMED // 8)].reshape(whole, _SUMMED // 8).sum(axis=1, dtype=np.uint64)
    rest = words[whole * (_SUMMED // 8) :]
    return np.append(sums, rest.sum(dtype=np.uint64)) if len(rest) else sums


def load(path: Path, gallery_id: str, epoch: int, dimension: int) -> tuple[Segment, Stamp] | None:
    """Map a cache and check every byte of it.

    Returns:
        Its rows and what it was made from; None when there is none, or it is of another gallery or epoch, or damaged.
    """
    try:
        with path.open("rb") as file:
            header = _read_header(file.read(_PAGE))
            if header is None:
                return None
            stamp, count = header
            layout = _Layout(count, stamp.dimension)
            size = os.fstat(file.fileno()).st_size
            if (stamp.gallery_id, stamp.epoch, stamp.dimension) != (gallery_id, epoch, dimension) or count == 0:
                return None
            if size != layout.body_at + layout.body_bytes:
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:
        return None
    body = np.frombuffer(mapped, np.uint8, layout.body_bytes, layout.body_at)
    if not np.array_equal(_sums(body), np.frombuffer(mapped, "<u8", layout.sums, _PAGE)):
        return None
    parts = layout.parts
    arrays: dict[str, Any] = {
        name: np.frombuffer(mapped, kind, count, layout.body_at + parts[name][0]) for name, kind in _KINDS
    }
    matrix = np.frombuffer(mapped, "<f4", count * dimension, layout.body_at + parts["matrix"][0]).reshape(
        count, dimension
    )
    segment = Segment(matrix, arrays["ids"], arrays["keys"], arrays["crcs"], arrays["sq_norms"], count)
    segment.alive = arrays["keys"] != NOBODY
    return segment, stamp


def scrub(path: Path, person_keys: Sequence[int], moment: Moment) -> int:
    """Overwrite the rows of people in place. Returns how many rows.

    Whoever has the file mapped sees zeros there at once; check sums keep such a row from ever being an answer.

    Args:
        moment: a state of the gallery in which their rows are to go. The cache is of no use any more to a record that does not go back to it.

    Raises:
        GalleryReadOnlyError: the cache is there and may not be changed.
    """
    if not person_keys:
        return 0
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _may_not_change(path, error) from error
    with file:
        file_locks.lock(file)
        header = _read_header(_read_at(file, _PAGE, 0))
        if header is None:
            _wipe(path)
            return 0
        stamp, count = header
        layout = _Layout(count, stamp.dimension)
        offset, length = layout.parts["keys"]
        keys = np.frombuffer(_read_at(file, length, layout.body_at + offset), "<i8")
        rows = np.flatnonzero(np.isin(keys, np.asarray(person_keys, np.int64)))
        if len(rows) and moment.seq > stamp.moment.seq:
            _write_at(file, np.frombuffer(_header(replace(stamp, moment=moment), count), np.uint8), 0)
        touched: set[int] = set()
        for row in rows.tolist():
            for name, size in [*((name, kind.itemsize) for name, kind in _KINDS), ("matrix", 4 * stamp.dimension)]:
                content = NOBODY.to_bytes(8, "little", signed=True) if name == "keys" else bytes(size)
                place = layout.parts[name][0] + row * size
                _write_at(file, np.frombuffer(content, np.uint8), layout.body_at + place)
                touched.update((place // _SUMMED, (place + size - 1) // _SUMMED))
        for number in touched:
            raw = _read_at(file, min(_SUMMED, layout.body_bytes - number * _SUMMED), layout.body_at + number * _SUMMED)
            _write_at(file, _sums(np.frombuffer(raw, np.uint8)), _PAGE + 8 * number)
        if len(rows):
            os.fsync(file.fileno())
        return len(rows)


def remove(path: Path) -> None:
    """Take the cache away, and what a killed process left of one. Raises GalleryReadOnlyError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _may_not_change(path, error) from error
    remove_unfinished(path)


def _may_not_change(path: Path, error: OSError) -> GalleryReadOnlyError:
    return GalleryReadOnlyError(
        expected=f"to change the search cache {path}",
        got=error.strerror or "an error",
        advice="change its permissions, or remove it: it holds embeddings, and is made again when it is needed",
    )


def remove_unfinished(path: Path) -> None:
    """Take away what a killed process left, unless another is writing it now."""
    part = path.with_name(path.name + ".part")
    with suppress(OSError), part.open("rb") as file:
        if file_locks.try_lock(file):
            part.unlink()


def _wipe(path: Path) -> None:
    """A cache whose head is damaged cannot be searched for one person: all of it goes."""
    path.unlink(missing_ok=True)

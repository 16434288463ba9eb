"""The search matrix on disk: where its parts lie, what its head says, and the sums over all of it.

Little-endian: a header of 4096 bytes; the sums of the body, one uint64 for each MiB; then, each from a multiple of 4096 bytes on, template ids
(int64), person keys (int64), check sums (uint32), ‖x‖² (float32), the whole blocks in 8 bits (uint8, row by row) with a scale and an error for each
(float32), and the matrix (float32, row by row).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.exact.codes import BLOCK, whole_blocks
from sameface.gallery.following.moment import Moment
from sameface.gallery.following.record import Seen

PAGE: Final = 4096
#: Bytes under one sum.
SUMMED: Final = 1 << 20
_MAGIC: Final = b"sameface cache 3"
_HEADER: Final = struct.Struct("<16s 32s q q q q q q ? 24s")
#: One of each for every row.
KINDS: Final = (
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
        seen: up to where the cache has taken in everything.
        moment: the state of the gallery; tells a restored backup from the record that the cache was made of.
    """

    gallery_id: str
    epoch: int
    dimension: int
    seen: Seen
    moment: Moment


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts lie for a number of rows.

    Attributes:
        coded: whether the rows lie there in 8 bits too.
    """

    count: int
    dimension: int
    coded: bool

    @property
    def parts(self) -> dict[str, tuple[int, int, int]]:
        """By name: offset from the start of the body, length in bytes, and bytes of one item."""
        whole = whole_blocks(self.count) if self.coded else 0
        items = [(name, kind.itemsize, self.count) for name, kind in KINDS]
        items += [("codes", self.dimension, whole), ("scales", 4, whole // BLOCK), ("errors", 4, whole // BLOCK)]
        place, found = 0, {}
        for name, size, count in [*items, ("matrix", 4 * self.dimension, self.count)]:
            found[name] = (place, size * count, size)
            place += -(-size * count // PAGE) * PAGE
        return found

    @property
    def body_bytes(self) -> int:
        offset, length, _ = self.parts["matrix"]
        return offset + -(-length // PAGE) * PAGE

    @property
    def sums(self) -> int:
        return -(-self.body_bytes // SUMMED)

    @property
    def body_at(self) -> int:
        return PAGE + -(-8 * self.sums // PAGE) * PAGE

    @property
    def bytes(self) -> int:
        return self.body_at + self.body_bytes

    def of_row(self, row: int) -> Iterator[tuple[str, int, int]]:
        """What a row occupies: name of the part, place in the body, bytes."""
        for name, (offset, length, size) in self.parts.items():
            if name not in ("scales", "errors") and row * size < length:
                yield name, offset + row * size, size


def header(stamp: Stamp, layout: Layout) -> bytes:
    """The first bytes of a cache."""
    packed = _HEADER.pack(
        _MAGIC,
        stamp.gallery_id.encode(),
        stamp.epoch,
        stamp.dimension,
        layout.count,
        stamp.seen.template,
        stamp.seen.change,
        stamp.moment.seq,
        layout.coded,
        stamp.moment.link,
    )
    return packed + zlib.crc32(packed).to_bytes(4, "little")


def read_header(raw: bytes) -> tuple[Stamp, Layout] | None:
    """What `header` wrote; None for anything else."""
    packed, crc = raw[: _HEADER.size], raw[_HEADER.size : _HEADER.size + 4]
    if len(crc) < 4 or zlib.crc32(packed) != int.from_bytes(crc, "little") or not packed.startswith(_MAGIC):
        return None
    _, gallery_id, epoch, dimension, count, template, change, seq, coded, link = _HEADER.unpack(packed)
    stamp = Stamp(gallery_id.decode(), epoch, dimension, Seen(template, change), Moment(seq, link))
    return stamp, Layout(count, dimension, coded)


def sums_of(body: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The sum, modulo 2⁶⁴, of each MiB's words: any one changed word changes it, at the speed of memory."""
    words = body.view("<u8")
    whole = len(words) // (SUMMED // 8)
    sums = words[: whole * (SUMMED // 8)].reshape(whole, SUMMED // 8).sum(axis=1, dtype=np.uint64)
    rest = words[whole * (SUMMED // 8) :]
    return np.append(sums, rest.sum(dtype=np.uint64)) if len(rest) else sums

"""The search matrix on disk: opened by mapping it instead of reading a million rows.

A cache and nothing more: it is checked whenever it is opened, thrown away when anything about it is odd, and made again from the record. It holds
biometric data, so it is the owner's only, is never written where a key says that nothing shall lie in the clear, and forgotten people are
overwritten in it in place.

Where the rows lie in 8 bits too, those and all columns are summed at each opening; a block of full rows is checked when a search first looks at it,
by the check sum of each row. So opening five million takes no longer than reading what every search reads.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sameface import file_locks
from sameface.errors import GalleryReadOnlyError
from sameface.gallery.exact.codes import BLOCK, Codes
from sameface.gallery.exact.segment import NOBODY, Segment
from sameface.gallery.following.cache_draft import read_at, write_at
from sameface.gallery.following.cache_layout import KINDS, PAGE, SUMMED, Layout, Stamp, header, read_header, sums_of
from sameface.gallery.following.moment import Moment


def load(path: Path, gallery_id: str, epoch: int, dimension: int, *, coded: bool) -> tuple[Segment, Stamp] | None:
    """Map a cache and check it.

    Args:
        coded: take the rows in 8 bits too, where they are; then full rows are checked as they are looked at.

    Returns:
        Its rows and what it was made from; None when there is none, or it is of another gallery or epoch, or damaged.
    """
    try:
        with path.open("rb") as file:
            head = read_header(file.read(PAGE))
            if head is None:
                return None
            stamp, layout = head
            if (stamp.gallery_id, stamp.epoch, stamp.dimension) != (gallery_id, epoch, dimension) or not layout.count:
                return None
            if os.fstat(file.fileno()).st_size != layout.bytes:
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:
        return None
    coded = coded and layout.coded
    summed = layout.sums if not coded else -(-layout.parts["matrix"][0] // SUMMED)
    body = np.frombuffer(mapped, np.uint8, min(layout.body_bytes, summed * SUMMED), layout.body_at)
    if not np.array_equal(sums_of(body), np.frombuffer(mapped, "<u8", summed, PAGE)):
        return None
    return _segment(mapped, layout, coded=coded), stamp


def _segment(mapped: mmap.mmap, layout: Layout, *, coded: bool) -> Segment:
    def part(name: str, kind: Any) -> Any:
        offset, length, _ = layout.parts[name]
        return np.frombuffer(mapped, kind, length // np.dtype(kind).itemsize, layout.body_at + offset)

    columns: dict[str, Any] = {name: part(name, kind) for name, kind in KINDS}
    matrix = part("matrix", "<f4").reshape(layout.count, layout.dimension)
    segment = Segment(matrix, columns["ids"], columns["keys"], columns["crcs"], columns["sq_norms"], layout.count)
    segment.alive = columns["keys"] != NOBODY
    segment.mapped = mapped
    if coded:
        rows = part("codes", np.uint8).reshape(-1, layout.dimension)
        segment.codes = Codes(rows, part("scales", "<f4"), part("errors", "<f4"))
        segment.unchecked = np.ones(-(-layout.count // BLOCK), np.bool_)
    return segment


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
        head = read_header(read_at(file, PAGE, 0))
        if head is None:  # damaged, or of an earlier version: it cannot be searched for one person, so all of it goes
            path.unlink(missing_ok=True)
            return 0
        stamp, layout = head
        offset, length, _ = layout.parts["keys"]
        keys = np.frombuffer(read_at(file, length, layout.body_at + offset), "<i8")
        rows = np.flatnonzero(np.isin(keys, np.asarray(person_keys, np.int64)))
        if len(rows) and moment.seq > stamp.moment.seq:
            write_at(file, np.frombuffer(header(replace(stamp, moment=moment), layout), np.uint8), 0)
        touched: set[int] = set()
        for row in rows.tolist():
            for name, place, size in layout.of_row(row):
                content = NOBODY.to_bytes(8, "little", signed=True) if name == "keys" else bytes(size)
                write_at(file, np.frombuffer(content, np.uint8), layout.body_at + place)
                touched.update((place // SUMMED, (place + size - 1) // SUMMED))
        for number in touched:
            raw = read_at(file, min(SUMMED, layout.body_bytes - number * SUMMED), layout.body_at + number * SUMMED)
            write_at(file, sums_of(np.frombuffer(raw, np.uint8)), PAGE + 8 * number)
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

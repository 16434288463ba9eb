"""MXNet's ``.rec`` and ``.idx``, in which InsightFace's training sets come: crops in a row, each with the number of its person.

Source: MXNet's ``recordio.h`` and ``python/mxnet/recordio.py``. A record: magic number and length (uint32 each, the upper three bits of the
length say whether it is a whole record or a part of one), the bytes, zeros up to a multiple of four. In front of the image: flag uint32, label
float32, id and id2 uint64; with a flag above 0 as many float32 follow, which are the label then. Record 0 of InsightFace's sets holds two
numbers, the ends of images and of people; the records after the images say which images are whose, and are no images.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np

from sameface.datasets.model import DataProblem, LabelledPhotos, problem
from sameface.datasets.photo import PackedPhoto
from sameface.errors import DataError
from sameface.files import path_as_text

_MAGIC: Final = 0xCED7230A
_HEAD: Final = struct.Struct("<II")
_LABEL: Final = struct.Struct("<IfQQ")
_WHOLE, _FIRST, _LAST = 0, 1, 3
#: Bytes of an image that are looked at to see whether it is one.
_NO_IMAGE: Final = 4


def read_rec(file: str | Path) -> LabelledPhotos:
    """Read a ``.rec``; its ``.idx`` is used where it lies beside it, and is not needed.

    Returns:
        All images, by person: people in the order of their numbers, named by them.

    Raises:
        DataError: not such a file, or fewer than two people.
    """
    path = Path(file)
    photos: list[PackedPhoto] = []
    labels: list[int] = []
    problems: list[DataProblem] = []
    try:
        with path.open("rb") as source:
            last = None  # the first record that is no image
            for number, pieces in enumerate(_records(source, path)):
                if last is not None and number >= last:
                    break
                start, length = pieces[0]
                source.seek(start)
                flag, label, _, _ = _LABEL.unpack(source.read(_LABEL.size))
                values = (
                    np.frombuffer(source.read(4 * flag), dtype="<f4") if flag else np.array([label], dtype=np.float32)
                )
                head = _LABEL.size + 4 * flag
                if number == 0 and flag == 2:
                    last = int(values[0])
                    continue
                if length - head <= _NO_IMAGE and len(pieces) == 1:
                    problems.append(_odd(path, number))
                    continue
                rest = ((start + head, length - head), *pieces[1:])
                photos.append(PackedPhoto(path, rest, f"record {number}"))
                labels.append(int(values[0]))
    except OSError as error:
        raise DataError(
            expected=f"a .rec at {path_as_text(path)}", got=error.strerror or str(error), advice="check the path"
        ) from error
    except (struct.error, IndexError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise _damaged(path, "a record that is cut short") from error
    people, numbers = np.unique(labels, return_inverse=True)
    if len(people) < 2:
        raise DataError(
            expected=f"images of at least two people in {path_as_text(path)}",
            got=str(len(people)),
            advice="give a .rec of faces",
        )
    order = np.argsort(numbers, kind="stable")
    return LabelledPhotos(
        path.stem if path.stem != "train" else path.absolute().parent.name,
        tuple(photos[place] for place in order),
        numbers[order].astype(np.intp),
        tuple(str(person) for person in people),
        tuple(problems),
    )


def _records(source: IO[bytes], path: Path) -> Iterator[tuple[tuple[int, int], ...]]:
    """Where the bytes of each record lie. A record that holds the magic number is stored in parts, without it."""
    place = 0
    pieces: list[tuple[int, int]] = []
    while True:
        source.seek(place)
        head = source.read(_HEAD.size)
        if not head:
            break
        magic, word = _HEAD.unpack(head)
        if magic != _MAGIC:
            raise _damaged(path, f"other bytes at {place}")
        part, length = word >> 29, word & (1 << 29) - 1
        if part not in (_WHOLE, _FIRST):
            pieces.append((place, 4))  # the magic number of this part's head stands for the one that was taken out
        pieces.append((place + _HEAD.size, length))
        if part in (_WHOLE, _LAST):
            yield tuple(pieces)
            pieces = []
        place += _HEAD.size + (length + 3) // 4 * 4
    source.seek(0, 2)
    if pieces or place > source.tell():
        raise _damaged(path, "a last record that is cut short")


def _odd(path: Path, number: int) -> DataProblem:
    return problem(
        "malformed row",
        f"{path.name}, record {number}",
        expected="an image",
        got="none",
        advice="compare the file with its publisher's",
    )


def _damaged(path: Path, got: str) -> DataError:
    return DataError(
        expected=f"records of MXNet in {path_as_text(path)}",
        got=got,
        advice="download the file again, or compare it with its publisher's",
    )

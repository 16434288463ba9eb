"""WebDataset's shards: tar files in which the files of one sample follow each other and share their name up to the first dot.

Source: the format as its authors describe it: ``000017.jpg`` with ``000017.cls`` (a number as text) or ``000017.json`` (with ``label``,
``person`` or ``id``).
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from sameface.datasets.model import DataProblem, LabelledPhotos, problem
from sameface.datasets.photo import PackedPhoto
from sameface.errors import DataError
from sameface.files import PHOTO_SUFFIXES, natural, path_as_text

_LABELS: Final = (".cls", ".json", ".txt")
_KEYS: Final = ("label", "person", "id", "identity", "cls")
_LONGEST_LABEL: Final = 2**20


def read_shards(place: str | Path) -> LabelledPhotos:
    """Read shards that are not compressed.

    Args:
        place: one ``.tar``, a folder of them, or ``faces-{000..012}.tar``.

    Raises:
        DataError: no such files, not tar files, compressed, or fewer than two people.
    """
    path = Path(place)
    files = shard_files(path)
    if not files:
        raise DataError(expected=f"tar files at {path_as_text(path)}", got="none", advice="check the path")
    photos: list[PackedPhoto] = []
    people: list[str] = []
    problems: list[DataProblem] = []
    for file in files:
        for key, photo, label in _samples(file):
            if label is None:
                problems.append(
                    problem(
                        "malformed row",
                        f"{file.name}, {key}",
                        expected=f"one of {', '.join(_LABELS)} with the person",
                        got="none",
                        advice="write the label beside the image",
                    )
                )
                continue
            photos.append(photo)
            people.append(label)
    names = sorted(set(people), key=lambda name: natural(Path(name)))
    if len(names) < 2:
        raise DataError(
            expected=f"images of at least two people in {path_as_text(path)}",
            got=f"{len(names)}, {len(problems)} images without a label",
            advice="give shards that hold images with .cls, .txt or .json",
        )
    number = {name: index for index, name in enumerate(names)}
    numbers = np.array([number[person] for person in people], dtype=np.intp)
    order = np.argsort(numbers, kind="stable")
    return LabelledPhotos(
        path.stem, tuple(photos[index] for index in order), numbers[order], tuple(names), tuple(problems)
    )


def shard_files(path: Path) -> list[Path]:
    """The tar files that a path means, in natural order.

    >>> [str(file) for file in shard_files(Path("faces-{08..10}.tar"))]
    ['faces-08.tar', 'faces-09.tar', 'faces-10.tar']
    """
    if path.is_dir():
        return sorted((file for file in path.glob("*.tar") if not file.name.startswith(".")), key=natural)
    span = re.search(r"\{(\d+)\.\.(\d+)\}", path.name)
    if span is None:
        return [path]
    width, numbers = len(span[1]), range(int(span[1]), int(span[2]) + 1)
    return [
        path.with_name(f"{path.name[: span.start()]}{number:0{width}}{path.name[span.end() :]}") for number in numbers
    ]


def _samples(file: Path) -> Iterable[tuple[str, PackedPhoto, str | None]]:
    found: dict[str, PackedPhoto] = {}
    labels: dict[str, str] = {}
    try:
        with tarfile.open(file, "r:") as shard:
            for member in shard:
                place = PurePosixPath(member.name)
                stem, _, suffix = place.name.partition(".")
                key, suffix = str(place.with_name(stem or "_")), f".{suffix.lower()}"
                if not member.isfile() or not stem:
                    continue
                if suffix in PHOTO_SUFFIXES:
                    found[key] = PackedPhoto(file, ((member.offset_data, member.size),), place.name)
                elif suffix in _LABELS and member.size <= _LONGEST_LABEL:
                    content = shard.extractfile(member)
                    label = None if content is None else _label(suffix, content.read())
                    if label is not None:
                        labels.setdefault(key, label)
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        raise DataError(
            expected=f"a tar file, not compressed, at {path_as_text(file)}",
            got=str(error),
            advice="check the path; unpack .tar.gz to .tar first",
        ) from error
    return [(key, photo, labels.get(key)) for key, photo in found.items()]


def _label(suffix: str, content: bytes) -> str | None:
    text = content.decode("utf-8").strip()
    if suffix != ".json":
        return text or None
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return None
    if isinstance(value, dict):
        value = next((value[key] for key in _KEYS if key in value), None)
    return str(value) if isinstance(value, (str, int)) and str(value) else None

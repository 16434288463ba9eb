"""Operating points as files: read, written, and those that ship with the encoders."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Final

from sameface.errors import CalibrationError
from sameface.files import atomic_write
from sameface.plain import known
from sameface.types import EmbeddingSpace, OperatingPoint

#: A list of bare numbers, as JSON has it.
_NUMBERS: Final = re.compile(rb"\[[-+0-9.eE,\s]+\]")


def load_operating_point(path: str | Path) -> OperatingPoint:
    """Read an operating point that `sameface calibrate` wrote.

    Raises:
        CalibrationError: no such file, or not an operating point.
    """
    try:
        return _decode(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise CalibrationError(
            expected=f"an operating point at {path}", got=str(error), advice="make one with `sameface calibrate`"
        ) from error


def save_operating_point(point: OperatingPoint, path: str | Path) -> None:
    """Write an operating point as JSON, whole or not at all. A list of numbers stands on one line: a domain has thousands."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(point), indent=1)
    with atomic_write(Path(path)) as part:
        part.write_bytes(_NUMBERS.sub(lambda found: b" ".join(found.group().split()), text) + b"\n")


def file_name(space: EmbeddingSpace) -> str:
    """The name under which the point of a space ships; the file's own space field is what counts.

    >>> file_name(EmbeddingSpace("dlib-resnet", "mtcnn", "dlib5/dlib-chip-0.25/150"))
    'dlib-resnet+mtcnn.json'
    """
    return f"{space.encoder}+{space.detector}.json".replace("/", "-")


def shipped_operating_point(space: EmbeddingSpace) -> OperatingPoint | None:
    """The operating point measured for exactly this encoder, detector and alignment; None when there is none."""
    file = resources.files("sameface.models") / "operating_points" / file_name(space)
    if not file.is_file():
        return None
    point = _decode(file.read_bytes(), file.name)
    return point if point.space == space else None


def shipped_operating_points(encoder: str) -> list[OperatingPoint]:
    """Every operating point that ships with an encoder, one for each detector that it was measured with; by detector.

    >>> [point.space.detector for point in shipped_operating_points("dlib-resnet")]
    ['mtcnn']
    """
    folder = resources.files("sameface.models") / "operating_points"
    files = sorted(
        (file for file in folder.iterdir() if file.name.startswith(f"{encoder}+")), key=lambda file: file.name
    )
    return [_decode(file.read_bytes(), file.name) for file in files]


def _decode(data: bytes, name: str) -> OperatingPoint:
    import msgspec

    try:
        return msgspec.json.decode(data, type=known(OperatingPoint))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CalibrationError(
            expected="an operating point in JSON",
            got=f"{error} in {name}",
            advice="make it again with `sameface calibrate`",
        ) from error

"""face_recognition's two programs, under names that do not clash: ``sameface-face-recognition`` and ``sameface-face-detection``.

Same arguments and the same lines on standard output.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.compat import face_recognition
from sameface.errors import ImageNotFoundError, SamefaceError, outcome_of
from sameface.files import is_photo, path_as_text

_LONGEST: Final = 1600  # larger pictures are scaled down to this before faces are looked for


def recognition(arguments: Sequence[str] | None = None) -> int:
    """Name the people of a picture, or of each picture of a folder: ``picture,name[,distance]`` a line."""
    parser = argparse.ArgumentParser(
        prog="sameface-face-recognition",
        description="Name the people in pictures. Lines: picture,name[,distance]; unknown_person; no_persons_found.",
    )
    parser.add_argument("known_people_folder", type=Path, help="one picture per person; the file's name is theirs")
    parser.add_argument("image_to_check", type=Path, help="a picture, or a folder of them")
    parser.add_argument("--cpus", type=int, default=1, help="pictures at a time; -1: one per core")
    parser.add_argument("--tolerance", type=float, default=0.6, help="distance that still counts as the same person")
    parser.add_argument("--show-distance", type=_yes_or_no, default=False, metavar="true|false")
    given = parser.parse_args(arguments)

    def run() -> None:
        names, encodings = _known(given.known_people_folder)
        _each(
            given.image_to_check,
            given.cpus,
            lambda path: _recognised(path, names, encodings, given.tolerance, given.show_distance),
        )

    return _guarded(run)


def detection(arguments: Sequence[str] | None = None) -> int:
    """Print the box of each face: ``picture,top,right,bottom,left`` a line."""
    parser = argparse.ArgumentParser(
        prog="sameface-face-detection", description="Find faces. Lines: picture,top,right,bottom,left."
    )
    parser.add_argument("image_to_check", type=Path, help="a picture, or a folder of them")
    parser.add_argument("--cpus", type=int, default=1, help="pictures at a time; -1: one per core")
    parser.add_argument("--model", choices=("hog", "cnn"), default="hog", help="MTCNN is used for both")
    given = parser.parse_args(arguments)
    return _guarded(lambda: _each(given.image_to_check, given.cpus, lambda path: _detected(path, given.model)))


def recognition_main() -> None:
    """Entry point of ``sameface-face-recognition``."""
    sys.exit(recognition())


def detection_main() -> None:
    """Entry point of ``sameface-face-detection``."""
    sys.exit(detection())


# -- inside -----------------------------------------------------------------------------------------------------------
def _known(folder: Path) -> tuple[list[str], list[npt.NDArray[np.float64]]]:
    names, encodings = [], []
    for path in _pictures(folder):
        found = face_recognition.face_encodings(face_recognition.load_image_file(path))
        if not found:
            _say([f"WARNING: No faces found in {path}. Ignoring file."])
            continue
        if len(found) > 1:
            _say([f"WARNING: More than one face found in {path}. Only considering the first face."])
        names.append(path.stem)
        encodings.append(found[0])
    return names, encodings


def _recognised(
    path: Path, names: list[str], known: list[npt.NDArray[np.float64]], tolerance: float, show_distance: bool
) -> list[str]:
    from PIL import Image

    image = face_recognition.load_image_file(path)
    if max(image.shape) > _LONGEST:
        picture = Image.fromarray(image)
        picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
        image = np.array(picture)
    lines = []
    for encoding in face_recognition.face_encodings(image):
        apart = face_recognition.face_distance(known, encoding)
        matches = [(name, distance) for name, distance in zip(names, apart, strict=True) if distance <= tolerance]
        for name, distance in matches or [("unknown_person", None)]:
            lines.append(f"{path},{name},{distance}" if show_distance else f"{path},{name}")
    if not lines:
        lines.append(f"{path},no_persons_found" + (",None" if show_distance else ""))
    return lines


def _detected(path: Path, model: str) -> list[str]:
    image = face_recognition.load_image_file(path)
    found = face_recognition.face_locations(image, number_of_times_to_upsample=0, model=model)
    return [f"{path},{top},{right},{bottom},{left}" for top, right, bottom, left in found]


def _each(place: Path, cpus: int, lines_of: Callable[[Path], list[str]]) -> None:
    if not place.is_dir():
        _say(lines_of(place))
        return
    with ThreadPoolExecutor(os.cpu_count() if cpus == -1 else max(1, cpus)) as pool:
        for lines in pool.map(lines_of, _pictures(place)):
            _say(lines)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ImageNotFoundError(expected="a folder of pictures", got=f"no folder at {folder}", advice="check the path")
    return sorted(path for path in folder.iterdir() if is_photo(path))  # not deeper, as there


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{path_as_text(line)}\n" for line in lines)


def _yes_or_no(word: str) -> bool:
    words = {"1": True, "true": True, "t": True, "yes": True, "y": True, "on": True}
    words |= {"0": False, "false": False, "f": False, "no": False, "n": False, "off": False}
    if word.lower() not in words:
        raise argparse.ArgumentTypeError(f"{word!r} is neither true nor false")
    return words[word.lower()]


def _guarded(run: Callable[[], None]) -> int:
    try:
        run()
    except SamefaceError as error:
        sys.stderr.write(f"{error}\n")
        return outcome_of(type(error)).exit_code
    return 0

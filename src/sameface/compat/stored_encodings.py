"""Encodings that face_recognition computed and somebody stored: into a gallery, without the photos and without unpickling anything.

    python -m sameface.compat.stored_encodings encodings.json --gallery people.db

What is read:

- ``.json``: ``{"Ada": [128 numbers] or several of them, …}``; ``{"names": […], "encodings": [[…], …]}``; ``[{"name": …, "encoding": […]}, …]``.
- ``.npz``: arrays ``names`` and ``encodings``, or one array for each name, ``(128,)`` or ``(n, 128)``.
- ``.npy``: ``(n, 128)``, with the names given beside it.
- ``.csv``: a name, then 128 numbers; a heading line is skipped.

A pickle can run any program when it is opened, so none is opened here; the error says how to convert one where it was made.
"""

from __future__ import annotations

import argparse
import csv
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.defaults import DEFAULT_GALLERY
from sameface.errors import DataError, GalleryMismatchError, SamefaceError, outcome_of
from sameface.matching import as_embedding
from sameface.recognizer import Gallery, Recognizer
from sameface.recognizer.words import plural
from sameface.types import Person, Template

ENCODER: Final = "dlib-resnet"
DIMENSION: Final = 128
#: face_recognition's own threshold for these encodings.
TOLERANCE: Final = 0.6
_PICKLES: Final = (".pickle", ".pkl", ".p", ".dat", ".joblib")
_CONVERT: Final = (
    "convert it in the environment that made it, where you trust it: "
    """python -c "import pickle, json; d = pickle.load(open('encodings.pickle', 'rb')); """
    """json.dump({'names': d['names'], 'encodings': [list(map(float, e)) for e in d['encodings']]}, open('encodings.json', 'w'))\""""
)


def read_encodings(path: str | Path, names: Sequence[str] | None = None) -> dict[str, npt.NDArray[np.float32]]:
    """Read stored encodings by name.

    Args:
        path: ``.json``, ``.npz``, ``.npy`` or ``.csv``, see above.
        names: for ``.npy`` the name of each row.

    Returns:
        ``(n, 128)`` float32 for each name, in the order of the file.

    Raises:
        DataError: another kind of file, a pickle, or encodings that are not 128 finite numbers each.
    """
    place = Path(path)
    kind = place.suffix.lower()
    if kind in _PICKLES:
        raise DataError(expected="encodings as JSON, npz, npy or CSV", got=f"a pickle, {place.name}", advice=_CONVERT)
    readers = {".json": _json_rows, ".npz": _npz_rows, ".csv": _csv_rows}
    try:
        if kind == ".npy":
            rows: Iterable[tuple[str, Any]] = _npy_rows(place, names)
        elif kind in readers:
            rows = readers[kind](place)
        else:
            raise _unusable(place, f"the ending {kind!r}")
        return _grouped(rows, place)
    except SamefaceError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(place, str(error)) from error


def import_encodings(gallery: Gallery, encodings: Mapping[str, npt.ArrayLike], *, source: str = "") -> list[Person]:
    """Enroll people by stored encodings.

    Args:
        gallery: one whose encoder is ``dlib-resnet``: only there do these vectors mean anything.
        encodings: ``(128,)`` or ``(n, 128)`` for each name.
        source: what to note as their origin.

    Raises:
        GalleryMismatchError: a gallery of another encoder.
        EmbeddingError: vectors of another length, NaN, infinity.

    The original boxes came from dlib's detector and later probes' come from this gallery's; for the same photo the embeddings then differ
    by the amount that docs/benchmarks.md states.
    """
    if gallery.recognizer.card.id != ENCODER:
        raise GalleryMismatchError(
            expected=f"a gallery of the encoder {ENCODER}, whose space face_recognition's encodings live in",
            got=f"one of {gallery.recognizer.card.id}",
            advice=f'make it with Gallery(path, recognizer=Recognizer(encoder="{ENCODER}")), or enroll the photos again',
        )
    people = []
    for name, vectors in encodings.items():
        rows = [as_embedding(row, DIMENSION) for row in np.atleast_2d(np.asarray(vectors, dtype=np.float32))]
        people.append(gallery.store.add(name, [Template(row, source) for row in rows]))
    return people


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m sameface.compat.stored_encodings``."""
    parser = argparse.ArgumentParser(
        prog="python -m sameface.compat.stored_encodings",
        description="Put encodings that face_recognition computed into a gallery.",
    )
    parser.add_argument("encodings", type=Path, help=".json, .npz, .npy or .csv")
    parser.add_argument("--gallery", default=DEFAULT_GALLERY, help="gallery to make or add to")
    parser.add_argument("--names", type=Path, help="for .npy: a text file with the name of each row")
    given = parser.parse_args(arguments)
    try:
        names = given.names.read_text(encoding="utf-8").splitlines() if given.names else None
        encodings = read_encodings(given.encodings, names)
        with Gallery(given.gallery, recognizer=Recognizer(encoder=ENCODER)) as gallery:
            people = import_encodings(gallery, encodings, source=given.encodings.name)
    except SamefaceError as error:
        sys.stderr.write(f"sameface: {error}\n")
        return outcome_of(type(error)).exit_code
    count = sum(len(vectors) for vectors in encodings.values())
    sys.stdout.write(f"{given.gallery}: {plural(count, 'encoding')} of {plural(len(people), 'person', 'people')}\n")
    command = shlex.join(["sameface", "identify", "PHOTO", "--gallery", given.gallery, "--threshold", f"{TOLERANCE:g}"])
    sys.stderr.write(f"search it under the threshold of face_recognition: {command}\n")
    return 0


# -- files ------------------------------------------------------------------------------------------------------------
def _json_rows(path: Path) -> Iterable[tuple[str, Any]]:
    import msgspec

    try:
        content = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise _unusable(path, f"broken JSON ({error})") from error
    if isinstance(content, list):
        return [(item["name"], item["encoding"]) for item in content]
    if set(content) == {"names", "encodings"}:
        return list(zip(content["names"], content["encodings"], strict=True))
    return list(content.items())


def _npz_rows(path: Path) -> Iterable[tuple[str, Any]]:
    with np.load(path, allow_pickle=False) as file:
        if set(file.files) == {"names", "encodings"}:
            return list(zip((str(name) for name in file["names"]), file["encodings"], strict=True))
        return [(name, file[name]) for name in file.files]


def _npy_rows(path: Path, names: Sequence[str] | None) -> Iterable[tuple[str, Any]]:
    vectors = np.load(path, allow_pickle=False)
    if names is None:
        raise DataError(
            expected=f"the names of the {len(vectors)} rows of {path.name}",
            got="none",
            advice="give them, one for each row",
        )
    return list(zip(names, vectors, strict=True))


def _csv_rows(path: Path) -> Iterable[tuple[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    if rows and not _is_number(rows[0][-1]):
        rows = rows[1:]
    return [(row[0], [float(cell) for cell in row[1:]]) for row in rows]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _grouped(rows: Iterable[tuple[str, Any]], path: Path) -> dict[str, npt.NDArray[np.float32]]:
    by_name: dict[str, list[npt.NDArray[np.float32]]] = {}
    for name, vectors in rows:
        array = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
        if array.shape[1:] != (DIMENSION,) or not np.isfinite(array).all():
            raise _unusable(path, f"shape {array.shape}, or numbers that are not finite, for {name!r}")
        by_name.setdefault(str(name), []).append(array)
    if not by_name:
        raise _unusable(path, "nothing")
    return {name: np.concatenate(arrays) for name, arrays in by_name.items()}


def _unusable(path: Path, got: str) -> DataError:
    return DataError(
        expected=f"{DIMENSION} finite numbers for each name, as JSON, npz, npy or CSV",
        got=f"{got} in {path.name}",
        advice="see docs/how-to/move.md",
    )


if __name__ == "__main__":
    sys.exit(main())

"""Encodings that face_recognition computed and somebody stored: into a gallery, without the photos and without unpickling anything.

    sameface gallery import-encodings encodings.json --gallery people.db

What is read:

- ``.json``: ``{"Ada": [128 numbers] or several of them, …}``; ``{"names": […], "encodings": [[…], …]}``; ``[{"name": …, "encoding": […]}, …]``;
  ``[["Ada", […]], …]``; ``[names, encodings]`` in either order.
- ``.npz``: arrays ``names`` and ``encodings``, or one array for each name, ``(128,)`` or ``(n, 128)``.
- ``.npy``: ``(n, 128)``, with the names given beside it.
- ``.csv``: a name, then 128 numbers; a heading line is skipped.

A pickle can run any program when it is opened, so none is opened here; the error says how to convert one where it was made.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError, GalleryMismatchError, SamefaceError
from sameface.gallery import Sight
from sameface.matching import as_embedding
from sameface.recognizer import Enrollment, Gallery, PhotoReport
from sameface.recognizer.words import plural
from sameface.types import Template

ENCODER: Final = "dlib-resnet"
DIMENSION: Final = 128
#: face_recognition's own threshold for these encodings.
TOLERANCE: Final = 0.6
_PICKLES: Final = (".pickle", ".pkl", ".p", ".dat", ".joblib")
_CONVERT: Final = (
    "convert it in the environment that made it, where you trust it: "
    """python -c "import pickle, json; json.dump(pickle.load(open('encodings.pickle', 'rb')), open('encodings.json', 'w'), """
    """default=lambda array: array.tolist())\""""
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
    except FileNotFoundError as error:
        raise DataError(
            expected=f"a file of encodings at {path}", got="nothing there", advice="check the path"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(place, str(error)) from error


def read_names(path: Path) -> list[str]:
    """The names beside a ``.npy``: text in UTF-8, a name a line.

    Raises:
        DataError: no such file, or no text.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            expected=f"a text file with a name a line at {path}",
            got=getattr(error, "strerror", None) or "no text in UTF-8",
            advice="check the path",
        ) from error


def import_encodings(gallery: Gallery, encodings: Mapping[str, npt.ArrayLike], *, source: str = "") -> list[Enrollment]:
    """Enroll people by stored encodings. What a person has already is a ``duplicate``, so the same file may be imported again.

    Args:
        gallery: one whose encoder is ``dlib-resnet``: only there do these vectors mean anything.
        encodings: ``(128,)`` or ``(n, 128)`` for each name.
        source: what to note as their origin.

    Returns:
        Each person as stored now, with a report on each encoding.

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
    done = []
    for name, vectors in encodings.items():
        rows = [as_embedding(row, DIMENSION) for row in np.atleast_2d(np.asarray(vectors, dtype=np.float32))]
        templates = [Template(row, source) for row in rows]
        newcomers = _Newcomers(templates)
        person = gallery.store.admit(name, templates, newcomers, neighbours=0)
        assert person is not None  # the first one is new, or somebody has it
        done.append(
            Enrollment(
                person,
                tuple(
                    PhotoReport(
                        source, place in newcomers.places, "accepted" if place in newcomers.places else "duplicate"
                    )
                    for place in range(len(rows))
                ),
            )
        )
    return done


class _Newcomers:
    """Lets in the templates that a person does not have yet, each once."""

    def __init__(self, templates: Sequence[Template]) -> None:
        self._templates = templates
        self.places: list[int] = []

    def __call__(self, sight: Sight) -> list[int]:
        known = {stored.template.embedding.tobytes() for stored in sight.templates}
        self.places = []
        for place, template in enumerate(self._templates):
            if template.embedding.tobytes() not in known:
                known.add(template.embedding.tobytes())
                self.places.append(place)
        return self.places


# -- files ------------------------------------------------------------------------------------------------------------
def _json_rows(path: Path) -> Iterable[tuple[str, Any]]:
    import msgspec

    try:
        content = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise _unusable(path, f"broken JSON ({error})") from error
    if isinstance(content, list):
        return _listed(content, path)
    if isinstance(content, dict):
        if {"names", "encodings"} <= set(content):
            return _paired(content["names"], content["encodings"], path)
        return list(content.items())
    raise _unusable(path, f"one {type(content).__name__}")


def _listed(content: list[Any], path: Path) -> Iterable[tuple[str, Any]]:
    """Records, pairs of a name and an encoding, or all names beside all encodings."""
    if len(content) == 2:
        for names, encodings in (content, content[::-1]):
            if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
                return _paired(names, encodings, path)
    rows = []
    for item in content:
        if isinstance(item, dict) and {"name", "encoding"} <= set(item):
            rows.append((item["name"], item["encoding"]))
        elif isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
            rows.append((item[0], item[1]))
        else:
            raise _unusable(path, f"a list with something that is no name with its encoding, item {len(rows) + 1},")
    return rows


def _paired(names: Sequence[Any], encodings: Sequence[Any], path: Path) -> list[tuple[str, Any]]:
    """Each name with its encoding.

    Raises:
        DataError: there are more of the one than of the other.
    """
    if len(names) != len(encodings):
        raise DataError(
            expected=f"as many names as encodings in {path.name}",
            got=f"{plural(len(names), 'name')} and {plural(len(encodings), 'encoding')}",
            advice="give one name for each encoding, in the same order",
        )
    return [(str(name), encoding) for name, encoding in zip(names, encodings, strict=True)]


def _npz_rows(path: Path) -> Iterable[tuple[str, Any]]:
    with np.load(path, allow_pickle=False) as file:
        if set(file.files) == {"names", "encodings"}:
            return _paired(file["names"], file["encodings"], path)
        return [(name, file[name]) for name in file.files]


def _npy_rows(path: Path, names: Sequence[str] | None) -> Iterable[tuple[str, Any]]:
    vectors = np.load(path, allow_pickle=False)
    if names is None:
        raise DataError(
            expected=f"the names of the {len(vectors)} rows of {path.name}",
            got="none",
            advice="give them, one for each row",
        )
    return _paired(names, vectors, path)


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
            why = "numbers that are not finite" if array.shape[1:] == (DIMENSION,) else f"shape {array.shape}"
            raise _unusable(path, f"{why} for {name!r}")
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

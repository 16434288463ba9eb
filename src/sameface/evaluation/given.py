"""Embeddings and scores that were made elsewhere, or kept from an earlier run: measured as if they had been made now."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sameface.datasets.naming import find_photos, photo_names
from sameface.datasets.photo import Photo
from sameface.errors import DataError
from sameface.evaluation.embed import EmbeddedPhotos, Failure
from sameface.files import atomic_write, path_as_text
from sameface.types import Embeddings, EmbeddingSpace, OperatingPoint

NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True, eq=False)
class GivenEmbeddings:
    """Embeddings of photos by name, from a file.

    Attributes:
        name: what reports call the encoder.
        photos: a name for each row.
        embeddings: ``(n, d)`` float32; a row that is not finite says that no face was found.
        point: an operating point to be scored, or None.
    """

    name: str
    photos: tuple[str, ...]
    embeddings: Embeddings
    point: OperatingPoint | None = None
    space: EmbeddingSpace = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", EmbeddingSpace(self.name, NOT_GIVEN, NOT_GIVEN))

    def embed(self, photos: Sequence[Photo]) -> EmbeddedPhotos:
        """The rows of these photos; a photo without one counts as one without a face.

        Raises:
            DataError: the file names none of them, or one name fits several.
        """
        place = find_photos(photos, self.photos, self.name)
        rows = {photo: row for row, name in enumerate(self.photos) if (photo := place.get(name)) is not None}
        if not rows:
            raise DataError(
                expected="embeddings of the data set's photos",
                got=f"other names, such as {self.photos[0]!r}" if self.photos else "no rows",
                advice="name photos by their path from the data set's folder, for instance PERSON/FILE",
            )
        embeddings = np.zeros((len(photos), self.embeddings.shape[1]), dtype=np.float32)
        embeddings[list(rows)] = self.embeddings[list(rows.values())]
        found = np.zeros(len(photos), dtype=np.bool_)
        found[list(rows)] = True
        found &= np.isfinite(embeddings).all(axis=1)
        embeddings[~found] = 0
        failures = tuple(
            Failure(index, "no face" if index in rows else "no embedding given", photos[index].name)
            for index in np.flatnonzero(~found).tolist()
        )
        digests = ("",) * len(photos)
        return EmbeddedPhotos(self.space, embeddings, found, digests, failures, 0, len(photos), 0.0)


def read_embeddings(file: str | Path, point: OperatingPoint | None = None) -> GivenEmbeddings:
    """Read a NumPy file with the arrays ``photos`` (names) and ``embeddings`` ``(n, d)``. Nothing in it is run.

    Raises:
        DataError: not such a file.
    """
    path = Path(file)
    try:
        with np.load(path, allow_pickle=False) as content:
            names, rows = content["photos"], content["embeddings"]
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(
            expected=f"the arrays photos and embeddings in {path_as_text(path)}",
            got=str(error),
            advice="write it by numpy.savez(file, photos=names, embeddings=rows)",
        ) from error
    if rows.ndim != 2 or names.shape != rows.shape[:1] or not np.issubdtype(rows.dtype, np.floating):
        raise DataError(
            expected="a row of numbers for each name",
            got=f"{names.shape} names and {rows.shape} numbers of the type {rows.dtype}",
            advice="give names (n,) and embeddings (n, d)",
        )
    return GivenEmbeddings(path.stem, tuple(map(str, names)), rows.astype(np.float32), point)


def write_embeddings(file: Path, photos: Sequence[Photo], embedded: EmbeddedPhotos) -> None:
    """Write embeddings by the names of their photos, NaN where no face was found. They are biometric data: keep the file like a gallery.

    Raises:
        OutputError, StorageFullError: it cannot be written.
    """
    rows = embedded.embeddings.copy()
    rows[~embedded.found] = np.nan
    with atomic_write(file) as part, part.open("wb") as target:
        np.savez(target, photos=np.array(photo_names(photos)), embeddings=rows)

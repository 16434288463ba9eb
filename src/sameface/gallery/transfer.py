"""Whole galleries on the move: from one store to another, to a file and back, without losing a bit."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import (
    GalleryDamagedError,
    GalleryMismatchError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GallerySchemaError,
    NotAGalleryError,
    StorageFullError,
)
from sameface.gallery.store import NewPerson, TemplateStore
from sameface.types import Box, EmbeddingSpace, Template

#: Version of the exported file's layout.
FORMAT: Final = 1
Progress = Callable[[int], None]


def _silent(done: int) -> None:
    """No progress is shown."""


def copy_gallery(source: TemplateStore, target: TemplateStore, progress: Progress = _silent) -> int:
    """Copy everybody, with their ids, details, groups and vectors, in the order of enrolment; all or none.

    Args:
        progress: told after each person how many are done.

    Returns:
        How many templates were copied.

    Raises:
        GalleryMismatchError: galleries of different embeddings.
        PersonExistsError: somebody of that name or id is in the target already.
    """
    if source.space != target.space or source.dimension != target.dimension:
        raise GalleryMismatchError(
            expected=f"a target of {source.space}",
            got=f"{target.location} of {target.space}",
            advice="copy into a new gallery",
        )
    _note_export(source)
    return target.add_many(_everybody(source, progress))


def _note_export(store: TemplateStore) -> None:
    """Leave a line in the audit log before anybody leaves; a gallery that may only be read keeps none."""
    with suppress(GalleryReadOnlyError):
        store.note("export", store.count())


def _everybody(source: TemplateStore, progress: Progress) -> Iterator[NewPerson]:
    for done, (person, stored) in enumerate(source.export(), 1):
        templates = [item.template for item in stored]
        yield NewPerson(person.name, templates, person.details, person.groups, person.person_id, person.created)
        progress(done)


def export_file(store: TemplateStore, path: Path, *, card: str = "", progress: Progress = _silent) -> int:
    """Write everybody to a ``.npz`` file that NumPy opens without pickle: ``embeddings`` and ``about``, a JSON text.

    The file holds biometric data in the clear; it is made readable by its owner only.

    Args:
        card: the encoder's model card as text, to go along.

    Returns:
        How many templates were written.

    Raises:
        StorageFullError, GalleryDamagedError.
    """
    _note_export(store)
    people, vectors = [], []
    for done, (person, stored) in enumerate(store.export(), 1):
        vectors += [item.template.embedding for item in stored]
        templates = [
            {
                "source": item.template.source,
                "source_sha256": item.template.source_sha256,
                "box": list(item.template.box.xyxy) if item.template.box is not None else None,
                "quality": item.template.quality,
            }
            for item in stored
        ]
        people.append({**asdict(person), "templates": templates})
        progress(done)
    about = {
        "format": FORMAT,
        "space": asdict(store.space),
        "dimension": store.dimension,
        "card": card,
        "people": people,
    }
    text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    matrix = np.stack(vectors) if vectors else np.empty((0, store.dimension), np.float32)
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, embeddings=matrix, about=text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise StorageFullError(
            expected=f"to write {path}",
            got=error.strerror or "an error",
            advice="free some space, or choose another folder",
        ) from error
    return len(matrix)


class Exported:
    """An exported file, opened.

    Args:
        path: as `export_file` wrote it.

    Raises:
        GalleryMissingError, NotAGalleryError, GallerySchemaError, GalleryDamagedError.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise GalleryMissingError(
                expected=f"an exported gallery at {path}", got="nothing there", advice="check the path"
            )
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                about: Any = json.loads(arrays["about"].tobytes())
                self._matrix: npt.NDArray[np.float32] = arrays["embeddings"]
        except zipfile.BadZipFile as error:  # each array has a CRC-32 in the archive
            raise GalleryDamagedError(
                expected=f"a whole file at {path}", got="one that is cut short or changed", advice="export it again"
            ) from error
        except (ValueError, KeyError, OSError, EOFError, TypeError, AttributeError) as error:
            raise NotAGalleryError(
                expected=f"an exported gallery at {path}",
                got="another kind of file",
                advice="make one with `sameface gallery export`",
            ) from error
        if about["format"] > FORMAT:
            raise GallerySchemaError(
                expected=f"an export of format {FORMAT}", got=str(about["format"]), advice="install the newer sameface"
            )
        self.space = EmbeddingSpace(**about["space"])
        self.dimension = int(about["dimension"])
        self.card = str(about["card"])
        self._people = about["people"]
        if self._matrix.shape != (sum(len(person["templates"]) for person in self._people), self.dimension):
            raise GalleryDamagedError(
                expected="a vector for every template",
                got=f"an array of shape {self._matrix.shape}",
                advice="export the gallery again",
            )

    def __len__(self) -> int:
        return len(self._people)

    def people(self, progress: Progress = _silent) -> Iterator[NewPerson]:
        """Everybody in the file, in the order of enrolment."""
        rows = iter(self._matrix)
        for done, person in enumerate(self._people, 1):
            templates = [
                Template(
                    next(rows),
                    item["source"],
                    item["source_sha256"],
                    Box(*item["box"]) if item["box"] else None,
                    item["quality"],
                )
                for item in person["templates"]
            ]
            yield NewPerson(
                person["name"], templates, person["details"], person["groups"], person["person_id"], person["created"]
            )
            progress(done)


def import_file(path: Path, store: TemplateStore, progress: Progress = _silent) -> int:
    """Store everybody of an exported file; all or none. Returns how many templates.

    Raises:
        GalleryMismatchError: embeddings of another space.
        PersonExistsError: somebody of that name or id is there already.
    """
    exported = Exported(path)
    if (exported.space, exported.dimension) != (store.space, store.dimension):
        raise GalleryMismatchError(
            expected=f"an export of {store.space}",
            got=f"one of {exported.space}",
            advice="import it into a new gallery",
        )
    return store.add_many(exported.people(progress))

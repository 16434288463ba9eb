"""From a store to a file that NumPy opens without pickle."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import astuple
from pathlib import Path
from typing import IO, Final

import msgspec
import numpy as np

from sameface.files import atomic_write
from sameface.gallery.store import StoredTemplate, TemplateStore
from sameface.gallery.transfer.copying import Progress, silent
from sameface.gallery.transfer.form import (
    ABOUT,
    EMBEDDINGS,
    FORMAT,
    About,
    ExportedConsent,
    ExportedPerson,
    ExportedRetention,
    ExportedTemplate,
    Space,
)
from sameface.types import Person

#: Where people go, in `About` as JSON: a text of anybody's would have its quotation marks escaped.
_NOBODY: Final = b'"people":[]'


def export_file(store: TemplateStore, path: Path, *, card: str = "", progress: Progress = silent) -> int:
    """Write everybody, as of one moment, to a ``.npz`` file (`form` has the layout); whole or not at all.

    The file holds biometric data in the clear; it is made readable by its owner only. Memory holds a few people at a time; the folder needs room
    for the file twice.

    Args:
        card: the encoder's model card as text, to go along.

    Returns:
        How many templates were written.

    Raises:
        StorageFullError, OutputError, GalleryDamagedError.
    """
    rules = {name: ExportedRetention(rule.days, rule.until) for name, rule in store.retention().items()}
    space = Space(store.space.encoder, store.space.detector, store.space.alignment)
    about = About(FORMAT, space, store.dimension, card, [], rules)
    head, tail = msgspec.json.encode(about).split(_NOBODY, 1)
    head, tail = head + _NOBODY[:-1], _NOBODY[-1:] + tail
    encode, count = msgspec.json.Encoder().encode, 0
    with atomic_write(path) as part, _unnamed(path.absolute().parent) as rows, _unnamed(path.absolute().parent) as text:
        text.write(head)
        for done, (person, stored) in enumerate(store.export(), 1):
            text.write((b"," if done > 1 else b"") + encode(_exported(person, stored)))
            for item in stored:
                rows.write(np.ascontiguousarray(item.template.embedding, "<f4").tobytes())
            count += len(stored)
            progress(done)
        text.write(tail)
        with zipfile.ZipFile(part, "w") as archive:
            _add(archive, EMBEDDINGS, "<f4", (count, store.dimension), rows)
            _add(archive, ABOUT, "|u1", (text.tell(),), text)
    return count


def _exported(person: Person, stored: list[StoredTemplate]) -> ExportedPerson:
    templates = [
        ExportedTemplate(
            item.template.source,
            item.template.source_sha256,
            item.template.box.xyxy if item.template.box is not None else None,
            item.template.quality,
            item.template.added,
        )
        for item in stored
    ]
    return ExportedPerson(
        person.person_id,
        person.name,
        dict(person.details),
        list(person.groups),
        person.created,
        templates,
        person.photos,
        None if person.consent is None else ExportedConsent(*astuple(person.consent)),
        person.keep_until,
        person.hold,
        person.expires,
    )


def _unnamed(folder: Path) -> IO[bytes]:
    """A file for a while, beside the one that is written, without a name: nothing of it is left when this process ends, however it ends."""
    return tempfile.TemporaryFile(dir=folder)


def _add(archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int, ...], content: IO[bytes]) -> None:
    content.seek(0)
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
        shutil.copyfileobj(content, file, 1 << 20)

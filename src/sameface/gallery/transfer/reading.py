"""From an exported file to a store. The file may come from anybody: nothing in it is believed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import numpy as np

from sameface.errors import (
    GalleryDamagedError,
    GalleryMismatchError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GallerySchemaError,
    NotAGalleryError,
    SamefaceError,
)
from sameface.gallery.store import NewPerson, TemplateStore
from sameface.gallery.transfer.copying import Progress, silent, take_over
from sameface.gallery.transfer.form import ABOUT, EMBEDDINGS, FORMAT, About, ExportedPerson, Head
from sameface.plain import known
from sameface.types import Box, Consent, EmbeddingSpace, Retention, Template

_AT_ONCE: Final = 1 << 20
#: Bytes that the heads of a ZIP member and of an array take at most.
_LONGEST_HEAD: Final = 20_000


class Exported:
    """An exported file, opened: all of it is checked at once, its embeddings are read when they are needed.

    Args:
        path: as `export_file` wrote it.

    Attributes:
        space, dimension: of its embeddings.
        card: the encoder's model card as text.
        retention: how long people were kept, by group.

    Raises:
        GalleryMissingError, NotAGalleryError, GallerySchemaError, GalleryDamagedError, GalleryReadOnlyError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise GalleryMissingError(
                expected=f"an exported gallery at {path}", got="nothing there", advice="check the path"
            )
        with self._opened() as archive:
            with _member(archive, ABOUT) as file:
                (size,) = _shape(file, "|u1", 1)
                about = _decoded(_whole(file, size))
            rows = sum(len(person.templates) for person in about.people)
            with _member(archive, EMBEDDINGS) as file:
                shape = _shape(file, "<f4", 2)
                if shape != (rows, about.dimension):
                    raise GalleryDamagedError(
                        expected=f"a vector of {about.dimension} numbers for each of {rows} templates in {path}",
                        got=f"an array of shape {shape}",
                        advice="export the gallery again",
                    )
                _pass_over(file, 4 * rows * about.dimension)
        self.space = EmbeddingSpace(about.space.encoder, about.space.detector, about.space.alignment)
        self.dimension, self.card = about.dimension, about.card
        self._people = about.people
        self.retention = {name: Retention(rule.days, rule.until) for name, rule in about.retention.items()}

    def __len__(self) -> int:
        return len(self._people)

    def people(self, progress: Progress = silent, *, alike: bool = False) -> Iterator[NewPerson]:
        """Everybody in the file, in the order of enrolment.

        Args:
            alike: whether they come under the same rules of retention again; else the end that followed from those becomes their own.

        Raises:
            GalleryDamagedError: it was changed meanwhile.
        """
        with self._opened() as archive, _member(archive, EMBEDDINGS) as file:
            _shape(file, "<f4", 2)
            for done, person in enumerate(self._people, 1):
                yield self._person(person, file, alike)
                progress(done)
            _pass_over(file, None)

    def _person(self, person: ExportedPerson, file: IO[bytes], alike: bool) -> NewPerson:
        templates = []
        for item in person.templates:
            vector = np.frombuffer(_whole(file, 4 * self.dimension), "<f4")
            box = Box(*item.box) if item.box is not None else None
            templates.append(Template(vector, item.source, item.source_sha256, box, item.quality, item.added))
        return NewPerson(
            person.name,
            templates,
            person.details,
            person.groups,
            person.person_id,
            person.created,
            None if person.consent is None else Consent(*msgspec.structs.astuple(person.consent)),
            person.keep_until if alike else person.expires,
            person.hold,
        )

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        path = self._path
        try:
            with zipfile.ZipFile(path) as archive:
                _require_plain(archive, path.stat().st_size)
                yield archive
        except SamefaceError:
            raise
        except PermissionError as error:
            raise GalleryReadOnlyError(
                expected=f"to read {path}", got="no permission", advice="change its permissions, or run as its owner"
            ) from error
        except (zipfile.BadZipFile, EOFError) as error:  # each member has a CRC-32
            if path.is_file() and not zipfile.is_zipfile(path) and not _begins_like_zip(path):
                raise _another_kind(path) from error
            raise GalleryDamagedError(
                expected=f"a whole file at {path}", got="one that is cut short or changed", advice="export it again"
            ) from error
        # What its parts may say that is none: heads of arrays are literals of Python, and a ZIP's head may name features that nobody has.
        except (
            _NotOneError,
            ValueError,
            SyntaxError,
            NotImplementedError,
            OSError,
            RuntimeError,
            RecursionError,
        ) as error:
            raise _another_kind(path) from error


class _NotOneError(Exception):
    """Never leaves this file."""


def import_file(source: Path | Exported, store: TemplateStore, progress: Progress = silent) -> int:
    """Store everybody of an exported file; all or none. Returns how many templates.

    Raises:
        GalleryMismatchError: embeddings of another space.
        PersonExistsError: somebody of that name or id is there already.
        PersonNameError, SettingError, EmbeddingError: what no gallery stores.
    """
    exported = source if isinstance(source, Exported) else Exported(source)
    if (exported.space, exported.dimension) != (store.space, store.dimension):
        raise GalleryMismatchError(
            expected=f"an export of {store.space}",
            got=f"one of {exported.space}",
            advice="import it into a new gallery",
        )
    return store.add_many(exported.people(progress, alike=take_over(store, exported.retention)))


def _another_kind(path: Path) -> NotAGalleryError:
    return NotAGalleryError(
        expected=f"an exported gallery at {path}",
        got="another kind of file",
        advice="make one with `sameface gallery export`; encodings of face_recognition come in by "
        "`sameface gallery import-encodings`",
    )


def _begins_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _require_plain(archive: zipfile.ZipFile, size: int) -> None:
    """Both members once, uncompressed, no larger than the file: so nothing unpacks to more than it is."""
    members = archive.infolist()
    if sorted(member.filename for member in members) != [ABOUT, EMBEDDINGS]:
        raise _NotOneError
    for member in members:
        plain = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
        if not plain or not 0 <= member.file_size <= size or member.flag_bits & 1:
            raise _NotOneError


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    with archive.open(name) as file:
        yield file


def _shape(file: IO[bytes], kind: str, dimensions: int) -> tuple[int, ...]:
    """The shape of the array that a member holds; the member stands at its first number then."""
    if np.lib.format.read_magic(file) != (1, 0):
        raise _NotOneError
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_LONGEST_HEAD)
    whole: Any = shape
    if fortran or dtype != np.dtype(kind) or len(whole) != dimensions or min(whole) < 0:
        raise _NotOneError
    return tuple(whole)


def _whole(file: IO[bytes], size: int) -> bytes:
    """So many bytes, taken in small parts: a length is believed no further than there is something."""
    parts, left = [], size
    while left:
        part = file.read(min(left, _AT_ONCE))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _pass_over(file: IO[bytes], size: int | None) -> None:
    """Read the rest, so that its check sum is compared; it must be of that size, None for any."""
    read = 0
    while part := file.read(_AT_ONCE):
        read += len(part)
    if size is not None and read != size:
        raise _NotOneError


def _decoded(text: bytes) -> About:
    try:
        head = msgspec.json.decode(text, type=known(Head))
        if head.format > FORMAT:
            raise GallerySchemaError(
                expected=f"an export of format {FORMAT}", got=str(head.format)[:80], advice="install the newer sameface"
            )
        return msgspec.json.decode(text, type=known(About))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _NotOneError from error

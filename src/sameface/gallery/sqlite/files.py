"""The files of a gallery: all that lies beside it, and how nothing of it is left."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sameface.errors import GalleryMissingError, GalleryReadOnlyError
from sameface.gallery.sqlite.writer_queue import ENDINGS, WriterQueue

#: What SQLite and the search cache add to a gallery's name.
#: "-photos" is the ledger of an archive, which `indexing` keeps: no embeddings, but who deletes everybody means their photos' names too.
_BESIDE: Final = ("-wal", "-shm", "-journal", "-cache", "-cache.part", "-photos", "-photos-journal")


def files_of(path: Path) -> list[Path]:
    """The gallery file first, then everything beside it that holds or held something of it; what is there of them."""
    unfinished = path.parent.glob(
        f".{glob.escape(path.name)}.*.new*"
    )  # made and not put in its place by a process that was killed
    beside = [path.parent / f"{path.name}{ending}" for ending in _BESIDE]
    return [file for file in (path, *beside, *sorted(unfinished)) if file.exists()]


@contextmanager
def locks_go_unless_there(path: Path) -> Iterator[None]:
    """In a writer's turn: when the block fails and there is no gallery then, its two lock files go too."""
    try:
        yield
    except BaseException:
        if not path.exists():
            _remove_locks(path)
        raise


def _remove_locks(path: Path) -> None:
    for ending in ENDINGS:
        with suppress(PermissionError):  # where open files cannot be removed they stay; they are empty
            path.with_name(path.name + ending).unlink(missing_ok=True)


def erase(path: Path, patience: float) -> None:
    """Remove a gallery with everything of it. What was begun and stopped half-way is finished by the next call.

    The gallery file goes first: from then on it is there for nobody, and who is about to write a cache beside it finds that out.

    Raises:
        GalleryMissingError: there is nothing of it.
        GalleryLockedError: another process writes to it for too long.
        GalleryReadOnlyError: the files may not be removed.
    """
    if not files_of(path):
        raise GalleryMissingError(
            expected=f"a gallery at {path}", got="nothing there", advice="check the path; it may be erased already"
        )
    queue = WriterQueue(path, patience)
    try:
        with queue.turn():
            for file in files_of(path):
                file.unlink(missing_ok=True)
            _remove_locks(path)
    except PermissionError as error:
        if isinstance(error, GalleryReadOnlyError):
            raise
        raise GalleryReadOnlyError(
            expected=f"to remove {path} and what lies beside it",
            got=error.strerror or "no permission",
            advice="change the permissions of the folder",
        ) from error
    finally:
        queue.close()

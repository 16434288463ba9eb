"""The galleries of a service, by name: files in one folder, or schemas of one PostgreSQL database."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from sameface.errors import GalleryError, GalleryMismatchError, GalleryMissingError, NotAGalleryError, PersonExistsError
from sameface.gallery import read_space
from sameface.recognizer import Gallery, Recognizer
from sameface.service.settings import Settings, check_slug
from sameface.types import EmbeddingSpace


class Shelf:
    """Opens galleries once and hands them out. Safe to use from several threads.

    Another process may make or delete galleries meanwhile: a file is looked at again before each use.

    Args:
        settings: where galleries lie.
        recognizer: what all of them use; a gallery of another encoder is refused with an error that says so.
    """

    def __init__(self, settings: Settings, recognizer: Recognizer) -> None:
        self._settings = settings
        self._recognizer = recognizer
        self._open: dict[str, tuple[tuple[int, int] | None, Gallery]] = {}
        self._lock = threading.Lock()
        if not settings.in_database:
            self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def _folder(self) -> Path:
        return Path(self._settings.galleries)

    def names(self) -> list[str]:
        """Every gallery, sorted."""
        return _names(self._settings)

    def check(self) -> None:
        """Ask the record of each gallery a question.

        Raises:
            SamefaceError: one cannot be read now.
        """
        for name in self.names():
            try:
                self.get(name).store.count()
            except (
                GalleryMissingError,
                GalleryMismatchError,
                NotAGalleryError,
            ):  # deleted meanwhile, or somebody else's
                continue

    def get(self, name: str) -> Gallery:
        """An existing gallery.

        Raises:
            PersonNameError: not a gallery's name.
            GalleryMissingError: no such gallery.
            GalleryMismatchError, GalleryDamagedError, …: it cannot be used.
        """
        check_slug(name)
        with self._lock:
            stamp = self._stamp(name)
            held = self._open.get(name)
            if held is not None and held[0] == stamp:
                return held[1]
            if held is not None:
                del self._open[name]
                held[1].close()
            if stamp is None and not (self._settings.in_database and name in self.names()):
                raise GalleryMissingError(
                    expected="a gallery of this service",
                    got=f"{name!r}, which is not there",
                    advice="make it first, or see the list",
                )
            gallery = self._make(name, create=False)
            self._open[name] = (stamp, gallery)
            return gallery

    def create(self, name: str) -> Gallery:
        """A new gallery.

        Raises:
            PersonNameError: not a gallery's name.
            PersonExistsError: the name is taken.
        """
        check_slug(name)
        with self._lock:
            if name in self.names():
                raise PersonExistsError(
                    expected="a new gallery name", got=f"{name!r}, which exists", advice="choose another name"
                )
            gallery = self._make(name, create=True)
            self._open[name] = (self._stamp(name), gallery)
            return gallery

    def delete(self, name: str) -> int:
        """Erase a gallery with everybody in it. Returns how many people were in it."""
        gallery = self.get(name)
        people = len(gallery.people())
        with self._lock:
            self._open.pop(name, None)
            gallery.close()
            if self._settings.in_database:
                from sameface.gallery.postgres.namespaces import drop_gallery

                drop_gallery(self._settings.galleries, name)
            else:
                # The journal holds vectors too, and goes first: a file without it is whole, a journal without its file is nothing.
                for suffix in ("-wal", "-shm", "-journal", "", "-writers", "-next"):
                    Path(f"{self._folder / name}.db{suffix}").unlink(missing_ok=True)
        return people

    def close(self) -> None:
        """Let go of every file and connection."""
        with self._lock:
            for _, gallery in self._open.values():
                gallery.close()
            self._open.clear()

    def _make(self, name: str, *, create: bool) -> Gallery:
        if self._settings.in_database and create:
            from sameface.gallery.postgres.namespaces import make_room

            make_room(self._settings.galleries, name)
        location = _location(self._settings, name)
        gallery = Gallery(location, recognizer=self._recognizer, create=create, fpir=self._settings.fpir)
        gallery.store.warm()
        return gallery

    def _stamp(self, name: str) -> tuple[int, int] | None:
        """Tells a file from another one of the same name; None where there is no file."""
        if self._settings.in_database:
            return None
        try:
            status = (self._folder / f"{name}.db").stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino


def common_space(settings: Settings) -> EmbeddingSpace | None:
    """What the embeddings of all galleries of a service belong to, read from the galleries alone.

    Returns:
        None where there is no gallery yet, or where two disagree.
    """
    spaces = set()
    for name in _names(settings):
        with suppress(GalleryError):  # a damaged one is reported when it is opened
            spaces.add(read_space(_location(settings, name)))
    return spaces.pop() if len(spaces) == 1 else None


def _names(settings: Settings) -> list[str]:
    if settings.in_database:
        from sameface.gallery.postgres.namespaces import gallery_names

        return gallery_names(settings.galleries)
    found = []
    for path in Path(settings.galleries).glob("*.db"):
        try:
            found.append(check_slug(path.stem))
        except ValueError:  # somebody's own file
            continue
    return sorted(found)


def _location(settings: Settings, name: str) -> str | Path:
    if settings.in_database:
        from sameface.gallery.postgres.namespaces import location_of

        return location_of(settings.galleries, name)
    return Path(settings.galleries) / f"{name}.db"

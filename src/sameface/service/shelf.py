"""The galleries of a service, by name: files in one folder, or schemas of one PostgreSQL database."""

from __future__ import annotations

import threading
from contextlib import suppress

from sameface.errors import GalleryError, GalleryMismatchError, GalleryMissingError, NotAGalleryError, PersonExistsError
from sameface.gallery import Place, check_slug, erase_gallery, make_gallery, read_space
from sameface.recognizer import Gallery, Recognizer
from sameface.service.settings import Settings
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
        self._place = Place(settings.galleries)
        self._place.prepare()

    def names(self) -> list[str]:
        """Every gallery, sorted."""
        return self._place.names()

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
            stamp = self._place.stamp(name)
            held = self._open.get(name)
            if held is not None and held[0] == stamp:
                return held[1]
            if held is not None:
                del self._open[name]
                held[1].close()
            if stamp is None and not (self._place.on_server and name in self.names()):
                raise GalleryMissingError(
                    expected="a gallery of this service",
                    got=f"{name!r}, which is not there",
                    advice="see `GET /v1/galleries`; a key of role admin makes one by `POST /v1/galleries` with the form field `name`",
                )
            gallery = self._make(name)
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
            space, dimension = self._recognizer.space, self._recognizer.card.dimension
            # Another worker may make it at this very moment: one of both is told that it is taken.
            if not make_gallery(self._place.make_room(name), space, dimension):
                raise PersonExistsError(
                    expected="a new gallery name", got=f"{name!r}, which exists", advice="choose another name"
                )
            if name in self._open:  # of a file that somebody else deleted
                self._open.pop(name)[1].close()
            gallery = self._make(name)
            self._open[name] = (self._place.stamp(name), gallery)
            return gallery

    def delete(self, name: str) -> int:
        """Erase a gallery with everybody in it. Returns how many people were in it."""
        gallery = self.get(name)
        people = len(gallery)
        with self._lock:
            self._open.pop(name, None)
            gallery.close()
            erase_gallery(self._place.location(name))
        return people

    def close(self) -> None:
        """Let go of every file and connection."""
        with self._lock:
            for _, gallery in self._open.values():
                gallery.close()
            self._open.clear()

    def _make(self, name: str) -> Gallery:
        location = self._place.location(name)
        gallery = Gallery(location, recognizer=self._recognizer, create=False, fpir=self._settings.fpir)
        try:
            gallery.store.warm()
        except BaseException:  # a damaged one, say: the next request opens it anew
            gallery.close()
            raise
        return gallery


def common_space(settings: Settings) -> EmbeddingSpace | None:
    """What the embeddings of all galleries of a service belong to, read from the galleries alone.

    Returns:
        None where there is no gallery yet, or where two disagree.
    """
    spaces, place = set(), Place(settings.galleries)
    for name in place.names():
        with suppress(GalleryError):  # a damaged one is reported when it is opened
            spaces.add(read_space(place.location(name)))
    return spaces.pop() if len(spaces) == 1 else None

"""Where many galleries lie, by name: a folder with a file for each, or a database with a schema for each."""

from __future__ import annotations

from pathlib import Path

from sameface.gallery.rules.places import check_slug, is_server, server_extra


class Place:
    """A folder or a database of galleries.

    Args:
        where: a folder, or ``postgresql://…`` of a database.

    Attributes:
        on_server: whether it is a database.
    """

    def __init__(self, where: str) -> None:
        self._where, self.on_server = where, is_server(where)

    def prepare(self) -> None:
        """Make the folder, where there is none."""
        if not self.on_server:
            Path(self._where).mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Every gallery, sorted. Files that are not called like one are somebody's own.

        Raises:
            GalleryUnavailableError, ExtraMissingError: of a server.
        """
        if self.on_server:
            with server_extra():
                from sameface.gallery.postgres.namespaces import gallery_names
            return gallery_names(self._where)
        found = []
        for path in Path(self._where).glob("*.db"):
            try:
                found.append(check_slug(path.stem))
            except ValueError:
                continue
        return sorted(found)

    def location(self, name: str) -> str | Path:
        """Where the gallery of a name is, or would be. Raises PersonNameError."""
        check_slug(name)
        if self.on_server:
            with server_extra():
                from sameface.gallery.postgres.namespaces import location_of
            return location_of(self._where, name)
        return Path(self._where) / f"{name}.db"

    def make_room(self, name: str) -> str | Path:
        """Prepare the location of a gallery that is to be made there. Returns it."""
        location = self.location(name)
        if self.on_server:
            with server_extra():
                from sameface.gallery.postgres.namespaces import make_room
            make_room(self._where, name)
        return location

    def stamp(self, name: str) -> tuple[int, int] | None:
        """Tells a gallery from another that was put in its place; None where there is none, and on a server, which has to be asked."""
        location = self.location(name)
        if isinstance(location, str):
            return None
        try:
            status = location.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

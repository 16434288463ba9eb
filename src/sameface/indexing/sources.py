"""Where the photos of an archive lie: in a folder, or in a bucket or other place that `fsspec` reads (``s3://…``, ``gs://…``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sameface.errors import (
    DataError,
    ExtraMissingError,
    ImageAccessError,
    ImageNotFoundError,
    ImageTooLargeError,
)
from sameface.files import Skipped, is_photo, natural, path_as_text, path_from_text, photos_below

#: Under one of these names a file system says when an object was changed, or which version of it this is.
_STAMPS: Final = ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "modified", "created")


@dataclass(frozen=True, slots=True)
class Listed:
    """A photo as it is listed, unread.

    Attributes:
        path: an address, or an absolute path by `path_as_text`.
        size: in bytes.
        stamp: changes whenever the photo does: for files nanoseconds, elsewhere what the place says.
    """

    path: str
    size: int
    stamp: str


def is_address(place: str | Path) -> bool:
    """Whether a place is read by `fsspec`.

    >>> is_address("s3://bucket/photos"), is_address("photos")
    (True, False)
    """
    return isinstance(place, str) and "://" in place


def place_as_text(place: str | Path) -> str:
    """What the path of each photo of a place begins with."""
    return (
        f"{str(place).rstrip('/')}/"
        if is_address(place)
        else f"{path_as_text(Path(place).absolute())}/".replace("//", "/")
    )


def photos_of(place: str | Path, skipped: Callable[[Skipped], object]) -> Iterator[Listed]:
    """The photos of a folder or address and all below it; hidden ones are left out.

    Args:
        place: a folder, or an address.
        skipped: told what is passed over, for instance folders that cannot be listed.

    Raises:
        DataError: there is no such place, or it cannot be listed.
        ExtraMissingError: an address, and what reads it is not installed.
    """
    if is_address(place):
        yield from _photos_at(str(place), skipped)
        return
    folder = Path(place).absolute()
    if not folder.is_dir():
        raise DataError(expected="a folder of photos", got=path_as_text(place), advice="check the path")
    try:
        for path in photos_below(folder, skipped):
            try:
                about = path.stat()
            except OSError as error:
                skipped(Skipped(path, error.strerror or "cannot be read", lost=True))
                continue
            yield Listed(path_as_text(path), about.st_size, str(about.st_mtime_ns))
    except OSError as error:
        raise DataError(
            expected=f"a folder that can be listed at {path_as_text(place)}",
            got=error.strerror or str(error),
            advice="change its permissions or its owner",
        ) from error


def read_photo(path: str, most: int) -> bytes:
    """The bytes of a photo.

    Args:
        path: as listed.
        most: bytes at most.

    Raises:
        ImageNotFoundError, ImageAccessError, ImageTooLargeError, NotAnImageError: it is gone, may not be read, is too large, or empty.
    """
    from sameface.imaging import Limits
    from sameface.imaging.sources import read_bytes

    if not is_address(path):
        return read_bytes(path_from_text(path), Limits(max_bytes=most))
    import fsspec

    try:
        with fsspec.open(path, "rb") as file:
            data: bytes = file.read(most + 1)
    except FileNotFoundError as error:
        raise ImageNotFoundError(
            expected=f"a photo at {path}", got="nothing there", advice="index again: it may have been moved"
        ) from error
    except Exception as error:  # clients of object stores raise what they like
        raise ImageAccessError(
            expected=f"to read {path}",
            got=f"{type(error).__name__}: {error}",
            advice="check the address and the rights",
        ) from error
    if len(data) > most:
        raise ImageTooLargeError(
            expected=f"a photo of at most {most:,} bytes", got=f"more in {path}", advice="make it smaller"
        )
    return read_bytes(data, Limits(max_bytes=most))


def _photos_at(address: str, skipped: Callable[[Skipped], object]) -> Iterator[Listed]:
    system, top = _file_system(address)
    system.invalidate_cache()  # of an earlier run in this process
    try:
        there = system.info(top)["type"] == "directory"
    except FileNotFoundError:
        there = False
    except Exception as error:  # clients of object stores raise what they like
        raise DataError(
            expected=f"photos at {address}",
            got=f"{type(error).__name__}: {error}",
            advice="check the address, the rights and the network",
        ) from error
    if not there:
        raise DataError(expected=f"photos at {address}", got="nothing there", advice="check the address")
    above = str(top).rstrip("/") + "/"
    for name, about in _below(system, top, address, skipped):
        stamp = next((str(about[key]) for key in _STAMPS if about.get(key) is not None), "")
        # Names of a file system may lack what the address says: a host, for instance.
        yield Listed(f"{address.rstrip('/')}/{name.removeprefix(above)}", int(about.get("size") or 0), stamp)


def _below(
    system: Any, top: str, address: str, skipped: Callable[[Skipped], object]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and descriptions of photos, a folder's own before those of the folders in it.

    Not by fsspec's `walk`: it says nothing of a folder inside that cannot be listed, and its photos would be taken for gone.
    """
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            listed = system.ls(folder, detail=True)
        except Exception as error:  # clients of object stores raise what they like
            if folder == top:
                raise DataError(
                    expected=f"photos at {address} that can be listed",
                    got=f"{type(error).__name__}: {error}",
                    advice="check the rights",
                ) from error
            skipped(Skipped(Path(folder), f"cannot be listed: {error or type(error).__name__}", lost=True, folder=True))
            continue
        inside = {str(about["name"]).rstrip("/").rpartition("/")[2]: about for about in listed}
        names = sorted((name for name in inside if name and not name.startswith(".")), key=lambda n: natural(Path(n)))
        for name in names:
            about = inside[name]
            if about["type"] != "directory" and is_photo(Path(name)):
                yield str(about["name"]), about
            elif about["type"] != "directory" and str(about["name"]).rstrip("/") != folder.rstrip("/"):
                skipped(Skipped(Path(name), "not a photo by its name"))
        folders = [inside[name] for name in names if inside[name]["type"] == "directory"]
        # Links to folders are not followed: they may lead in circles.
        waiting += [str(about["name"]) for about in reversed(folders) if not about.get("islink")]


def _file_system(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise ExtraMissingError(
            expected=f"the extra `remote` for photos at {address}",
            got="an installation without fsspec",
            advice='run `pip install "sameface[remote]"`',
        ) from error
    try:
        system, path = url_to_fs(address)
    except ImportError as error:
        raise ExtraMissingError(
            expected=f"what reads {address}", got=str(error), advice="install that package, for instance s3fs for s3://"
        ) from error
    except ValueError as error:
        raise DataError(
            expected="an address that fsspec knows", got=f"{address}: {error}", advice="check the scheme"
        ) from error
    return system, str(path)

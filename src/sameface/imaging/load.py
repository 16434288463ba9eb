"""The door for pictures: anything a caller may hold → an upright ``(h, w, 3)`` uint8 RGB array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from sameface.errors import DamagedImageError, ImageArrayError, SamefaceError, SettingError
from sameface.imaging.formats import open_picture, too_many_pixels
from sameface.imaging.limits import Limits
from sameface.imaging.pixels import array_to_rgb, orientation_of, picture_to_rgb, upright
from sameface.imaging.sources import ImageSource, is_pillow_image, label_of, read_bytes, sha256_of_bytes
from sameface.types import ImageRGB

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded picture with where it came from.

    Attributes:
        image_rgb: ``(h, w, 3)`` uint8 RGB, upright.
        source: the path, "" where there was none.
        sha256: hex digest of the file's bytes, "" for arrays and Pillow images, which have no file.
        scale: decoded size over stored size; below 1 only by `load_reduced`.
    """

    image_rgb: ImageRGB
    source: str = ""
    sha256: str = ""
    scale: float = 1.0


def load_image(source: ImageSource, *, limits: Limits = DEFAULT_LIMITS) -> ImageRGB:
    """Read a picture as upright 8-bit RGB.

    Args:
        source: a path (``str`` or ``Path``; never an address), the bytes of a file, a binary file (read from where
            it stands), a ``PIL.Image``, or a uint8 array ``(h, w, 3)`` RGB, ``(h, w)`` grey or ``(h, w, 4)`` RGBA.
            Formats: JPEG and phones' MPO, PNG, WebP, BMP, TIFF, PGM/PPM/PBM, GIF, AVIF; HEIC with the extra ``heic``.
            Of animations and multi-page files the first picture counts.
        limits: caps on bytes, pixels and formats, checked before decoding.

    Returns:
        ``(h, w, 3)`` uint8 RGB, contiguous, turned by its EXIF orientation; alpha laid on white; 16 bits scaled to 8.
        An RGB array comes back as the same memory.

    Raises:
        ImageNotFoundError, ImageAccessError: no such file; a folder, or no permission.
        NotAnImageError, DamagedImageError: another kind of file; cut short or broken.
        ImageTooLargeError: above the limits.
        ImageArrayError: an array of another type or shape.

    >>> load_image(b"P5 2 1 255 " + bytes([0, 255])).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    return load_photo(source, limits=limits).image_rgb


def load_photo(source: ImageSource, *, limits: Limits = DEFAULT_LIMITS) -> Photo:
    """Like `load_image`, with the provenance that a template keeps."""
    return _load(source, limits, longer_side=None)


def load_reduced(source: ImageSource, *, longer_side: int, limits: Limits = DEFAULT_LIMITS) -> Photo:
    """Read a large JPEG at a half, quarter or eighth of its size, several times faster than whole.

    Args:
        longer_side: pixels that the longer side keeps at least; smaller pictures, and formats other than JPEG, come
            whole.

    Returns:
        The photo; its ``scale`` says how much smaller: stored pixels = decoded pixels / scale.
    """
    if longer_side < 1:
        raise SettingError(expected="a side of at least 1 pixel", got=str(longer_side), advice="give a positive number")
    return _load(source, limits, longer_side)


def _load(source: ImageSource, limits: Limits, longer_side: int | None) -> Photo:
    if isinstance(source, np.ndarray):
        return Photo(array_to_rgb(source, limits))
    name = label_of(source)
    if is_pillow_image(source):
        image = cast("Image", source)
        if image.width * image.height > limits.max_pixels:
            raise too_many_pixels(f"{image.width}×{image.height}", name, limits)
        return Photo(_decode(image, name), name)
    if (
        not isinstance(source, (str, bytes, bytearray, memoryview))
        and not hasattr(source, "__fspath__")
        and not hasattr(source, "read")
    ):
        raise ImageArrayError(
            expected="a path, bytes, a binary file, a PIL.Image or a uint8 array",
            got=f"an object of type {type(source).__name__}",
            advice="convert it to one of those first, for instance with numpy.asarray",
        )
    data = read_bytes(cast("str | bytes | IO[bytes]", source), limits)
    image = open_picture(data, name, limits)
    stored = max(image.size)
    if longer_side is not None and image.format == "JPEG":
        _ask_for_less(image, longer_side)
    pixels = _decode(image, name)
    return Photo(pixels, name, sha256_of_bytes(data), scale=max(pixels.shape[:2]) / stored)


def _ask_for_less(image: Image, longer_side: int) -> None:
    """Tell libjpeg to decode at the smallest of 1/8, 1/4, 1/2 that keeps the side."""
    share = longer_side / max(image.size)
    if share <= 0.5:
        image.draft(None, (max(1, round(image.width * share)), max(1, round(image.height * share))))


def _decode(image: Image, name: str) -> ImageRGB:
    try:
        image.load()  # first: Pillow's TIFF reader turns the picture itself while loading, and then drops the tag
        return upright(picture_to_rgb(image), orientation_of(image))
    except SamefaceError:
        raise
    except Exception as error:  # decoders fail in many ways on hostile bytes: OS, struct, index, memory …
        raise DamagedImageError(
            expected="a whole picture",
            got=f"one that is cut short or broken{f' in {name}' if name else ''}",
            advice="save or send the picture again",
        ) from error

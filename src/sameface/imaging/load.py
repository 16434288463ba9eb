"""The door for pictures: anything a caller may hold → an upright ``(h, w, 3)`` uint8 RGB array."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast

import numpy as np

from sameface.imaging.formats import open_picture, too_many_pixels
from sameface.imaging.limits import Limits
from sameface.imaging.photo import Photo
from sameface.imaging.pixels import array_to_rgb
from sameface.imaging.sources import ImageSource, is_pillow_image, label_of, not_one_photo, read_bytes
from sameface.types import ImageRGB

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_LIMITS = Limits()


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
    return open_photo(source, limits=limits).image_rgb


def open_photo(source: ImageSource | Photo, *, limits: Limits = DEFAULT_LIMITS) -> Photo:
    """Like `load_image`, but nothing is decoded until it is asked for; with the provenance that a template keeps.

    Args:
        source: as for `load_image`; a photo that is open already comes back as it is.
        limits: checked now, by the file's header.
    """
    if isinstance(source, Photo):
        return source
    if isinstance(source, np.ndarray):
        return Photo(array_to_rgb(source, limits))
    name = label_of(source)
    if is_pillow_image(source):
        image = cast("Image", source)
        if image.width * image.height > limits.max_pixels:
            raise too_many_pixels(f"{image.width}×{image.height}", name, limits)
        return Photo(image, source=name)
    if (
        not isinstance(source, (str, bytes, bytearray, memoryview))
        and not hasattr(source, "__fspath__")
        and not hasattr(source, "read")
    ):
        raise not_one_photo(source)
    data = read_bytes(cast("str | bytes | IO[bytes]", source), limits)
    return Photo(open_picture(data, name, limits), source=name, data=data)

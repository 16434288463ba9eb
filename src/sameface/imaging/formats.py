"""Which format the bytes are in, and the one reader for it.

Pillow's own `Image.open` tries every plugin that anybody registered, and its bomb check goes through a global and the
warning filters. Here the first bytes choose one reader out of a fixed list, and the size is compared with the caller's
limits before any pixel is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Final

from sameface.errors import DamagedImageError, ImageTooLargeError, NotAnImageError, ReaderMissingError, SamefaceError
from sameface.imaging.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

#: Module and class of the reader of each format. A phone's MPO is a JPEG with more behind it: the first is read.
_READERS: Final[Mapping[str, tuple[str, str]]] = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
}

_AVIF_BRANDS: Final = {b"avif", b"avis"}
_HEIC_BRANDS: Final = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


def format_of(data: bytes) -> str | None:
    """The format that the first bytes declare, None for anything that is not read here.

    >>> format_of(bytes([0xFF, 0xD8, 0xFF, 0xE0])), format_of(b"%PDF-1.7"), format_of(b"")
    ('JPEG', None, None)
    """
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "TIFF"
    if data[:2] == b"BM":
        return "BMP"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "PPM"
    if data[4:8] == b"ftyp":
        return _iso_format(data)
    return None


def open_picture(data: bytes, name: str, limits: Limits) -> Image:
    """A Pillow image whose header was read and whose size is within the limits; no pixels yet.

    Args:
        data: a whole file.
        name: what messages call it.

    Raises:
        NotAnImageError: another format, or one that the limits leave out.
        ImageTooLargeError: too many pixels.
        DamagedImageError: a broken header.
        ReaderMissingError: HEIC without the extra.
    """
    kind = format_of(data)
    if kind is None or kind not in limits.formats:
        raise NotAnImageError(
            expected=f"a picture ({', '.join(limits.formats)})",
            got=f"{kind or describe(data)} in {name or 'the given bytes'}",
            advice="save the picture as JPEG or PNG and try again",
        )
    try:
        image = _open_heic(data, name) if kind == "HEIC" else _open_by_pillow(kind, data)
    except SamefaceError:
        raise
    except Exception as error:  # readers fail in many ways on hostile bytes: struct, index, key, memory …
        if type(error).__name__ == "DecompressionBombError":
            raise too_many_pixels("even more", name, limits) from error
        raise DamagedImageError(
            expected=f"a whole {kind} picture",
            got=f"a broken header in {name or 'the given bytes'}",
            advice="save or send the picture again",
        ) from error
    width, height = image.size
    if width < 1 or height < 1:
        raise DamagedImageError(
            expected="a picture with at least one pixel", got=f"{width}×{height}", advice="save the picture again"
        )
    if width * height > limits.max_pixels:
        raise too_many_pixels(f"{width}×{height}", name, limits)
    return image


def size_of_picture(data: bytes, limits: Limits) -> tuple[int, int]:
    """Width and height as the header says; nothing is decoded. Raises as `open_picture`."""
    return open_picture(data, "", limits).size


def too_many_pixels(size: str, name: str, limits: Limits) -> ImageTooLargeError:
    """The error for a picture above the pixel limit."""
    return ImageTooLargeError(
        expected=f"a picture of at most {limits.max_pixels:,} pixels",
        got=f"{size} in {name or 'the given bytes'}",
        advice="scale the picture down",
    )


def describe(data: bytes) -> str:
    """A few words for bytes that are no picture, without repeating them.

    >>> describe(b"%PDF-1.7"), describe(b"hello"), describe(bytes([0, 1, 2]))
    ('a PDF', 'text', 'bytes of no known format')
    """
    for start, words in (
        (b"%PDF", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"<svg", "an SVG drawing"),
        (b"<", "HTML or XML"),
    ):
        if data.lstrip()[:8].lower().startswith(start.lower()):
            return words
    if data[4:8] == b"ftyp":
        return "a video"
    sample = data[:256]
    return (
        "text"
        if sample and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in sample)
        else "bytes of no known format"
    )


def _iso_format(data: bytes) -> str | None:
    """AVIF or HEIC, by the brands in an ISO media file's first box."""
    end = min(int.from_bytes(data[:4], "big"), 512, len(data))
    brands = {data[at : at + 4] for at in (8, *range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & _HEIC_BRANDS else None


def _open_by_pillow(kind: str, data: bytes) -> Image:
    module, reader = _READERS[kind]
    image: Image = getattr(import_module(module), reader)(BytesIO(data))
    return image


def _open_heic(data: bytes, name: str) -> Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise ReaderMissingError(
            expected="the extra `heic` for HEIC photos",
            got=f"an installation without it, and {name or 'a photo'}",
            advice='run `pip install "sameface[heic]"`, or save the photo as JPEG',
        ) from error
    # The file class itself, so that nothing is registered in Pillow for the rest of the process.
    image: Image = pillow_heif.HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call]
    return image

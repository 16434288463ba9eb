"""How much of a picture is taken in before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sameface.errors import SettingError

#: Every format that can be read, by the name its makers gave it.
FORMATS: Final[tuple[str, ...]] = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "AVIF", "HEIC")


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps that are checked before decoding.

    Attributes:
        max_bytes: of the file as it is stored.
        max_pixels: width times height; a 108-megapixel phone photo passes the default.
        formats: what is taken, out of `FORMATS`; a service that faces strangers takes fewer.

    Raises:
        SettingError: a cap below 1, or a format that is not known.

    >>> Limits().max_pixels
    120000000
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 120_000_000
    formats: tuple[str, ...] = FORMATS

    def __post_init__(self) -> None:
        if self.max_bytes < 1 or self.max_pixels < 1:
            raise SettingError(
                expected="limits of at least 1 byte and 1 pixel",
                got=f"{self.max_bytes} bytes, {self.max_pixels} pixels",
                advice="give positive limits",
            )
        if unknown := sorted(set(self.formats) - set(FORMATS)):
            raise SettingError(
                expected=f"formats among {', '.join(FORMATS)}",
                got=", ".join(unknown),
                advice="correct the list of formats",
            )

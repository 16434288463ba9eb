"""Any colour mode, any array, any EXIF rotation → ``(h, w, 3)`` uint8 RGB.

Transparent pictures are laid on white, as a page would show them. Grey values of more than 8 bits are scaled to 0 to 255 and rounded; how many bits
are in use is told by the largest of them, since cameras and scanners keep 10, 12 or 14 bits in 16 and programs keep 8 in 32.
Embedded colour profiles are not applied: the networks were trained on pictures read without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import ImageArrayError, ImageTooLargeError, NotAnImageError
from sameface.imaging.limits import Limits
from sameface.types import ImageRGB

if TYPE_CHECKING:
    from PIL.Image import Image

#: Converted at once.
_STRIP_PIXELS: Final = 500_000
#: Bits that a grey value may have in use.
_DEPTHS: Final = (8, 10, 12, 14, 16)
#: EXIF tag of the orientation, and what each value says the viewer must do: (transpose first, flip rows, flip columns).
#: Source: EXIF 2.32 (CIPA DC-008), tag 274.
_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def array_to_rgb(array: npt.NDArray[Any], limits: Limits) -> ImageRGB:
    """Check an array and make it RGB.

    Args:
        array: uint8 of shape ``(h, w, 3)`` RGB, ``(h, w)`` or ``(h, w, 1)`` grey, ``(h, w, 4)`` RGBA. Arrays carry no
            note of their channel order: one from OpenCV is BGR and wants ``image[..., ::-1]`` first.

    Returns:
        ``(h, w, 3)`` uint8, contiguous; the same memory where nothing had to change.

    Raises:
        ImageArrayError: another type or shape, or no pixels.
        ImageTooLargeError: too many pixels.

    >>> array_to_rgb(np.full((1, 1), 7, dtype=np.uint8), Limits()).tolist()
    [[[7, 7, 7]]]
    """
    if array.ndim == 1 and array.dtype.kind == "f":
        raise ImageArrayError(
            expected="a photo",
            got=f"{len(array)} numbers, as an embedding has",
            advice="compare embeddings by `sameface.distance`, or find the nearest by `sameface.nearest`",
        )
    if array.dtype != np.uint8:
        advice = "convert it first: " + (
            "(image * 255).round().astype('uint8') for values between 0 and 1"
            if array.dtype.kind == "f"
            else "(image // 257).astype('uint8') for full-scale 16-bit values"
            if array.dtype == np.uint16
            else "image.astype('uint8') if its values are 0 to 255"
        )
        raise ImageArrayError(expected="an array of uint8", got=f"{array.dtype} of shape {array.shape}", advice=advice)
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    if array.size == 0 or not (grey or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageArrayError(
            expected="an array of shape (h, w, 3) RGB, (h, w) grey or (h, w, 4) RGBA",
            got=f"shape {array.shape}",
            advice="give one picture at a time, or ask `embed` for several"
            if array.ndim == 4
            else "put the channels last: image.transpose(1, 2, 0)"
            if array.ndim == 3 and array.shape[0] in (1, 3, 4)
            else "give one picture, its channels last",
        )
    if array.shape[0] * array.shape[1] > limits.max_pixels:
        raise ImageTooLargeError(
            expected=f"at most {limits.max_pixels:,} pixels",
            got=f"an array of {array.shape[1]}×{array.shape[0]}",
            advice="scale the picture down",
        )
    if grey:
        return _grey_to_rgb(array.reshape(array.shape[:2]))
    return np.ascontiguousarray(array) if array.shape[2] == 3 else _on_white(array)


def picture_to_rgb(image: Image) -> ImageRGB:
    """Decode a Pillow image, in any mode, to RGB; its orientation is not touched.

    Beside the image and the answer only a strip of it is held: a hostile picture of a kilobyte may have as many pixels as the limits allow.

    Raises:
        NotAnImageError: colours that have no agreed 8-bit meaning (floats, 32-bit integers, Lab).
    """
    image.load()
    width, height = image.size
    largest = _largest_grey(image) if image.mode.startswith("I") else 255
    rows = max(1, _STRIP_PIXELS // width)
    if rows >= height:
        return _strip_to_rgb(image, largest)
    whole = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):
        whole[top : top + rows] = _strip_to_rgb(image.crop((0, top, width, min(top + rows, height))), largest)
    return whole


def _strip_to_rgb(image: Image, largest: int) -> ImageRGB:
    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return np.array(image)
    if mode == "L" and "transparency" not in image.info:
        return _grey_to_rgb(np.asarray(image))
    if mode.startswith("I;16") or mode == "I":
        return _grey_to_rgb(_to_8_bits(np.asarray(image), largest))
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _on_white(np.asarray(image.convert("RGBA")))
    if mode in ("1", "P", "CMYK", "YCbCr", "RGBX", "HSV"):
        return np.array(image.convert("RGB"))
    raise NotAnImageError(
        expected="a picture with 8 or 16 bits a channel, in grey, RGB, palette or CMYK",
        got=f"Pillow's mode {mode}",
        advice="convert the picture to 8-bit RGB first",
    )


def upright(image_rgb: ImageRGB, orientation: int) -> ImageRGB:
    """Turn a picture as its EXIF orientation asks.

    Args:
        image_rgb: ``(h, w, …)``.
        orientation: the value of EXIF tag 274; 1 and unknown values leave the picture as it is.

    >>> upright(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), 6).shape
    (2, 1, 3)
    """
    transpose, flip_rows, flip_columns = _UPRIGHT.get(orientation, (False, False, False))
    turned = image_rgb.swapaxes(0, 1) if transpose else image_rgb
    turned = turned[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
    return np.ascontiguousarray(turned)


def upright_size(size_wh: tuple[int, int], orientation: int) -> tuple[int, int]:
    """The size that a picture has once it is turned as its orientation asks.

    >>> upright_size((40, 30), 6)
    (30, 40)
    """
    width, height = size_wh
    return (height, width) if _UPRIGHT.get(orientation, (False,))[0] else size_wh


def upright_box(
    corners: tuple[int, int, int, int], size_wh: tuple[int, int], orientation: int
) -> tuple[int, int, int, int]:
    """Where a part of the upright picture lies in the picture before it is turned.

    Args:
        corners: left, top, right, bottom in the upright picture.
        size_wh: of the upright picture.

    >>> upright_box((0, 0, 10, 5), (30, 40), 6)  # the top left corner of the upright picture is the bottom left one of the lying one
    (0, 20, 5, 30)
    """
    left, top, right, bottom = corners
    width, height = size_wh
    transpose, flip_rows, flip_columns = _UPRIGHT.get(orientation, (False, False, False))
    if flip_columns:
        left, right = width - right, width - left
    if flip_rows:
        top, bottom = height - bottom, height - top
    return (top, left, bottom, right) if transpose else (left, top, right, bottom)


def orientation_of(image: Image) -> int:
    """The EXIF orientation of a picture, 1 where there is none or where the EXIF data are broken."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  # broken EXIF must not cost the picture
        return 1
    return value if isinstance(value, int) else 1


def _grey_to_rgb(grey: npt.NDArray[np.uint8]) -> ImageRGB:
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)


def _largest_grey(image: Image) -> int:
    """The largest value that the bits in use can hold.

    Raises:
        NotAnImageError: values below 0 or of more than 16 bits, which mean no grey.
    """
    extremes: Any = image.getextrema()
    lowest, highest = int(extremes[0]), int(extremes[1])
    if lowest < 0 or highest > 65535:
        raise NotAnImageError(
            expected="grey values of at most 16 bits",
            got=f"values from {lowest} to {highest} (mode {image.mode})",
            advice="convert the picture to 8-bit grey first",
        )
    return next(2**bits - 1 for bits in _DEPTHS if highest < 2**bits)


def _to_8_bits(values: npt.NDArray[Any], largest: int) -> npt.NDArray[np.uint8]:
    """0…largest to 0…255, rounded to nearest."""
    return ((values.astype(np.int64) * 255 + largest // 2) // largest).astype(np.uint8)


def _on_white(rgba: npt.NDArray[np.uint8]) -> ImageRGB:
    """Lay a picture with alpha on white: ``colour·α + 255·(1 − α)``, rounded to nearest."""
    colour = rgba[..., :3].astype(np.uint16)
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = colour * alpha + 255 * (255 - alpha)  # at most 255 · 255
    return ((mixed + 127) // 255).astype(np.uint8)

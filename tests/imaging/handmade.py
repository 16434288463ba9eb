"""Picture files written byte by byte from their specifications, so that no test asks Pillow what Pillow wrote."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt


def pnm(pixels: npt.NDArray[Any], maxval: int = 255) -> bytes:
    """Binary PGM or PPM (netpbm); values above 255 take two bytes, big-endian."""
    height, width = pixels.shape[:2]
    kind = b"P5" if pixels.ndim == 2 else b"P6"
    body = pixels.astype(">u2" if maxval > 255 else "u1").tobytes()
    return b"%s\n%d %d\n%d\n" % (kind, width, height, maxval) + body


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    pixels: npt.NDArray[Any],
    *,
    colour: int,
    depth: int = 8,
    extra: bytes = b"",
    size_wh: tuple[int, int] | None = None,
    packed: bytes | None = None,
) -> bytes:
    """PNG (ISO/IEC 15948): colour 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA; filter 0 on each row."""
    height, width = pixels.shape[:2]
    w, h = size_wh or (width, height)
    rows = pixels.astype(">u2" if depth == 16 else "u1").reshape(height, -1)
    raw = packed if packed is not None else b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + extra
        + _chunk(b"IDAT", zlib.compress(raw))
        + _chunk(b"IEND", b"")
    )


def palette(colours: list[tuple[int, int, int]], alphas: list[int] | None = None) -> bytes:
    """The PLTE chunk, and tRNS where some colours are transparent."""
    chunk = _chunk(b"PLTE", bytes(value for colour in colours for value in colour))
    return chunk + (_chunk(b"tRNS", bytes(alphas)) if alphas is not None else b"")


def bmp(rgb: npt.NDArray[np.uint8]) -> bytes:
    """24-bit BMP: bottom row first, B G R, rows padded to four bytes."""
    height, width = rgb.shape[:2]
    padding = b"\0" * (-width * 3 % 4)
    body = b"".join(row[:, ::-1].tobytes() + padding for row in rgb[::-1])
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + head + body


def tiff(grey: npt.NDArray[np.uint8], orientation: int = 1) -> bytes:
    """Little-endian, uncompressed, one strip (TIFF 6.0)."""
    height, width = grey.shape
    shorts = [
        (256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, None),
        (274, orientation), (277, 1), (278, height), (279, grey.size),
    ]  # fmt: skip
    offset = 8 + 2 + 12 * len(shorts) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, offset if value is None else value) for tag, value in shorts)
    head = b"II*\0" + struct.pack("<IH", 8, len(shorts))
    return head + entries + struct.pack("<I", 0) + grey.tobytes()


def exif(orientation: int) -> bytes:
    """An EXIF block with one entry: tag 274, type SHORT."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 1) + entry + struct.pack(">I", 0)


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an APP1 segment put right behind its start."""
    body = b"Exif\0\0" + exif(orientation)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


#: A GIF89a of 2×1 pixels, first red then blue, followed by a second frame that is all white.
#: LZW codes of 3 bits (clear 4, end 5): 4 0 1 5 and 4 2 2 5.
def gif_two_frames() -> bytes:
    head = (
        b"GIF89a"
        + struct.pack("<HHBBB", 2, 1, 0b10000001, 0, 0)
        + bytes([255, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0])
    )
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"

    def frame(*codes: int) -> bytes:
        bits = sum(code << (3 * at) for at, code in enumerate((4, *codes, 5)))
        data = bits.to_bytes(2, "little")
        control = b"\x21\xf9\x04\0\x0a\0\0\0"
        return control + b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 1, 0) + b"\x02" + bytes([len(data)]) + data + b"\0"

    return head + loop + frame(0, 1) + frame(2, 2) + b"\x3b"

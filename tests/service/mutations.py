"""Hostile uploads without end, from a seed: cut, swapped, flipped, bombs, polyglots, broken multipart and JSON."""

from __future__ import annotations

import base64
import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

#: (content type, body, what it is)
Upload = tuple[str, bytes, str]


def originals(photos: Path) -> list[bytes]:
    """Small valid pictures in each format that is taken, and in some that are not."""
    with Image.open(photos / "obama.jpg") as portrait:
        portrait.thumbnail((160, 160))
        small = portrait.convert("RGB")
    made = []
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM"):
        buffer = io.BytesIO()
        small.save(buffer, kind)
        made.append(buffer.getvalue())
    return made


def bomb(draw: random.Random) -> bytes:
    """A PNG whose head promises more pixels than fit anywhere."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    width, height = (draw.choice([1, 7_000, 30_000, 2**31 - 1]) for _ in range(2))
    head = chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, draw.choice([1, 8, 16]), draw.choice([0, 2, 3, 6]), 0, 0, 0)
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(b"\0" * draw.choice([10, 100_000])))
        + chunk(b"IEND", b"")
    )


def mutated(data: bytes, others: list[bytes], draw: random.Random) -> tuple[bytes, str]:
    """One picture made hostile, and how."""
    how = draw.choice(["cut", "flip", "swap", "append", "head", "length", "whole", "bomb"])
    if how == "bomb":
        return bomb(draw), how
    body = bytearray(data)
    if how == "cut":
        return bytes(body[: draw.randrange(len(body))]), how
    if how == "flip":
        for _ in range(draw.choice([1, 3, 30])):
            body[draw.randrange(len(body))] = draw.randrange(256)
    elif how == "swap":
        a, b = sorted(draw.randrange(len(body)) for _ in range(2))
        body = body[:a] + bytearray(draw.choice(others))[a:b] + body[b:]
    elif how == "append":
        body += draw.choice([b"PK\x03\x04<script>alert(1)</script>", draw.choice(others), bytes(10_000)])
    elif how == "head":
        body = bytearray(draw.choice(others))[: draw.choice([4, 16, 64])] + body
    elif how == "length" and len(body) > 60:
        at = draw.randrange(60)
        body[at : at + 4] = draw.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
    return bytes(body), how


def uploads(photos: Path, count: int, seed: int) -> Iterator[Upload]:
    """Requests for an address that takes one ``photo``."""
    draw = random.Random(seed)
    pictures = originals(photos)
    for _ in range(count):
        picture, how = mutated(draw.choice(pictures), pictures, draw)
        if draw.random() < 0.25:
            body = b'{"photo": "' + base64.b64encode(picture) + b'"}'
            kind = "application/json"
        else:
            name = draw.choice(
                ['filename="a.jpg"', 'filename="../../a"', 'filename="a\\".png"', "filename*=UTF-8''%00"]
            )
            head = f'--b\r\nContent-Disposition: form-data; name="photo"; {name}\r\nContent-Type: image/jpeg\r\n\r\n'
            body, kind = head.encode() + picture + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
        if draw.random() < 0.15:  # the envelope is hostile too
            spoilt = bytearray(body)
            for _ in range(draw.choice([1, 5])):
                spoilt[draw.randrange(min(len(spoilt), 200))] = draw.randrange(256)
            body, how = bytes(spoilt), f"{how}, envelope"
        yield kind, body, how

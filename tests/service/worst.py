"""The requests that cost most memory, as far as they are known, run as a program: it says what each took.

    python -m tests.service.worst

Bodies that took gigabytes once, and pictures of as many pixels as the default settings allow.
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from sameface.service.app import create_app
from sameface.service.settings import Settings

BODY = 39 * 2**20
SIDE = 5000  # 25 megapixels, the default's most


def bodies() -> Iterator[tuple[str, str, str, bytes]]:
    """Name, address, content type and body."""
    detect, enroll = "/v1/detect", "/v1/galleries/people/people"
    js = "application/json"
    yield "numbers", enroll, js, b'{"name":"a","photos":[' + b"0," * (BODY // 2) + b"0]}"
    yield "lists", enroll, js, b'{"name":"a","photos":[' + b"[]," * (BODY // 3) + b"[]]}"
    yield "few lists", enroll, js, b'{"name":"a","photos":[' + b"[]," * 900_000 + b"[]]}"
    yield "objects", enroll, js, b'{"name":"a","photos":[' + b'{"a":0},' * (BODY // 8) + b"0]}"
    yield "depth", enroll, js, b'{"a":' * (BODY // 5)
    yield "brackets", enroll, js, b"[" * BODY
    count = BODY // 14
    numbers = np.arange(10**7, 10**7 + count)
    rows = np.empty((count, 13), np.uint8)  # "10000000":0, and so on: eight digits each
    rows[:] = np.frombuffer(b'"########":0,', np.uint8)
    for place in range(8):
        rows[:, 8 - place] = numbers % 10 + ord("0")
        numbers //= 10
    keys = rows.tobytes()[:-1]
    yield "keys", detect, js, b"{" + keys + b"}"
    yield "one key again", detect, js, b"{" + (b'"a":0,' * (BODY // 6))[:-1] + b"}"
    yield "details", enroll, js, b'{"details":{' + keys + b"}}"
    yield "groups", enroll, js, b'{"groups":[' + b'"g",' * (BODY // 4) + b'"g"]}'
    yield "a long key", detect, js, b'{"' + b"k" * (BODY - 10) + b'":0}'
    yield "a long name", enroll, js, b'{"name":"' + b"n" * (BODY - 20) + b'"}'
    yield "a wide text", detect, js, b'{"photo":"' + "\U0001f600".encode() + b"A" * (BODY - 20) + b'"}'
    yield "an escaped text", detect, js, b'{"photo":"' + b"\\u0041" * (BODY // 6 - 4) + b'"}'
    yield "a photo of zeros", detect, js, b'{"photo":"' + b"A" * (BODY - 20) + b'"}'
    yield "line breaks", detect, js, b'{"photo":"' + b"\\n" * (BODY // 2 - 20) + b'"}'
    yield "a number", detect, js, b'{"photo":' + b"1" * (BODY - 20) + b"}"
    form = "multipart/form-data; boundary=b"
    head = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    yield "almost boundaries", detect, form, head % (b"photo", b'; filename="a"') + b"\r\n--" * (BODY // 4)
    yield "a long part head", detect, form, b"--b\r\nContent-Disposition: " + b"x" * (BODY - 100)
    yield "many part heads", detect, form, b"--b\r\n" + b"A: b\r\n" * (BODY // 6)
    yield "many parts", detect, form, (head % (b"a", b"") + b"x\r\n") * (BODY // 60)
    yield (
        "long fields",
        enroll,
        form,
        b"".join(head % (b"groups", b"") + b"x" * 600_000 + b"\r\n" for _ in range(60)) + b"--b--",
    )
    photo = head % (b"photos", b'; filename="a"') + b"x" * 600_000 + b"\r\n"
    yield "files", enroll, form, photo * 64 + b"--b--"
    yield "a file", detect, form, head % (b"photo", b'; filename="a"') + bytes(BODY - 200) + b"\r\n--b--"


def pictures() -> Iterator[tuple[str, bytes]]:
    """Small files of many pixels."""
    for name, mode, kind, options in [
        ("WebP", "RGB", "WEBP", {"lossless": True, "quality": 0, "method": 0}),  # quickly made
        ("WebP with alpha", "RGBA", "WEBP", {"lossless": True, "quality": 0, "method": 0}),
        ("PNG", "RGB", "PNG", {"compress_level": 1}),
        ("PNG with alpha", "RGBA", "PNG", {"compress_level": 1}),
        ("PNG, grey with alpha", "LA", "PNG", {"compress_level": 1}),
        ("PNG of 16 bits", "I;16", "PNG", {"compress_level": 1}),
        ("JPEG, progressive", "RGB", "JPEG", {"progressive": True, "subsampling": 0}),
        ("JPEG, CMYK", "CMYK", "JPEG", {}),
    ]:
        buffer = io.BytesIO()
        Image.new(mode, (SIDE, SIDE)).save(buffer, kind, **options)
        yield name, buffer.getvalue()
    draw = np.random.default_rng(0)
    noise = Image.fromarray(draw.integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)).resize((SIDE, SIDE))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=60, progressive=True, subsampling=0, exif=exif)
    yield "JPEG of noise, lying", buffer.getvalue()


def _status_kb(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def took_mb(api: TestClient, path: str, kind: str, body: bytes) -> tuple[int, float]:
    """Status and megabytes of one request, above what was held before it (the body, which the client holds, included)."""
    ctypes.CDLL(None).malloc_trim(0)
    before = _status_kb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    status = api.post(path, content=body, headers={"Content-Type": kind}).status_code
    return status, (_status_kb("VmHWM") - before) / 1024


def requests(*, small: bool) -> Iterator[tuple[str, str, str, bytes]]:
    """Every body, and every picture once; not small: also two in one request."""
    yield from bodies()
    for name, data in pictures():
        text = base64.b64encode(data).decode()
        yield name, "/v1/detect", "application/json", json.dumps({"photo": text}).encode()
        if not small or name == "WebP with alpha":
            two = json.dumps({"probe": text, "reference": text}).encode()
            yield f"{name}, twice", "/v1/verify", "application/json", two


def main() -> None:
    """Prints what each request took; with ``--rounds N`` what is held more after N rounds of all than after the first."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--small", action="store_true", help="fewer requests")
    arguments.add_argument("--rounds", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(str(Path(folder) / "g"), threshold=0.3, rate=1e6, burst=10**6))
        with TestClient(app, base_url="http://127.0.0.1") as api:
            took: dict[str, tuple[int, float]] = {}
            held: list[float] = []
            for number in range(given.rounds):
                for name, path, kind, body in requests(small=given.small):
                    status, megabytes = took_mb(api, path, kind, body)
                    took[name] = status, max(megabytes, took.get(name, (0, 0.0))[1])
                ctypes.CDLL(None).malloc_trim(0)
                held.append(_status_kb("VmRSS") / 1024)
                print(f"round {number + 1}: {held[-1]:.0f} MB held", file=sys.stderr, flush=True)  # noqa: T201
    print(json.dumps({"took_mb": took, "held_mb": held}))  # noqa: T201


if __name__ == "__main__":
    main()

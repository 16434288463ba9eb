"""JSON bodies: every form of base64 that programs write, and nothing that costs more than it may."""

from __future__ import annotations

import base64
import json

import pytest

from sameface.errors import MalformedRequestError
from sameface.service.json_body import decode_object, malformed, photo_bytes

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256))
TEXT = base64.b64encode(PICTURE).decode()
LINES = base64.encodebytes(PICTURE).decode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        LINES,
        LINES.replace("\n", "\r\n"),
        f"  {TEXT}\n",
        TEXT.rstrip("="),
        base64.urlsafe_b64encode(PICTURE).decode(),
        base64.urlsafe_b64encode(PICTURE).decode().rstrip("="),
        f"data:image/jpeg;base64,{TEXT}",
        f"DATA:image/jpeg;charset=utf-8;BASE64,{LINES}",
        f"data:;base64,{TEXT}",
        f"data:application/octet-stream;base64,{TEXT}",
    ],
)
def test_base64_in_every_form(text):
    assert photo_bytes(text) == PICTURE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not base64!", "paths are not opened"),
        ("/etc/passwd", "paths are not opened"),
        ("/home/ada/photo.jpg", "paths are not opened"),
        ("https://example.org/a.jpg", "paths are not opened"),
        ("file:///etc/passwd", "paths are not opened"),
        ("é" * 8, "paths are not opened"),
        ("A=A=", "paths are not opened"),
        ("data:image/svg+xml,%3Csvg%3E", "data:image/jpeg;base64"),
        ("data:image/jpeg," + TEXT, "data:image/jpeg;base64"),
    ],
)
def test_what_is_none(text, reason):
    with pytest.raises(ValueError, match=reason):
        photo_bytes(text)


@pytest.mark.parametrize(
    "body",
    [
        b'{"photos": [' + b"0," * 1_000_000 + b"0]}",
        b'{"photos": [' + b"[]," * 5_000 + b"[]]}",
        b'{"a": ' + b'{"b":1},' * 3_000,
        json.dumps({f"k{number}": 1 for number in range(5_000)}).encode(),
        json.dumps({"details": {f"k{number}": "v" for number in range(2_001)}}).encode(),
    ],
)
def test_too_many_values(body):
    with pytest.raises(MalformedRequestError) as caught:
        decode_object(body)
    assert len(str(caught.value)) < 300


def test_the_largest_form_fits():
    form = {"photos": [TEXT] * 64, "groups": ["g"] * 64, "details": {f"{n:0200}": "," * 10_000 for n in range(64)}}
    assert decode_object(json.dumps(form).encode()) == form


def test_complaints_are_short():
    places = [((f"{'x' * 10_000_000}", number), "wrong") for number in range(10)]
    assert len(str(malformed(places))) < 1000

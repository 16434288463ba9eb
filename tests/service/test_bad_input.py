"""Everything that people and attackers send: a typed problem each time, never a 500."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image


def jpeg(width: int = 64, height: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def bomb(side: int = 30_000) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000)) + chunk(b"IEND", b"")


def kind(answer) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["expected"]
    assert body["got"]
    assert body["advice"]
    return body["type"].removeprefix("urn:sameface:")


@pytest.fixture
def api(unchanged_api):
    """What is refused changes nothing."""
    return unchanged_api


def detect(api, data: bytes):
    return api.post("/v1/detect", files={"photo": data})


PHOTOS = {
    "zero bytes": (b"", 415, "not-an-image"),
    "text": (b"hello", 415, "not-an-image"),
    "a PDF": (b"%PDF-1.7", 415, "not-an-image"),
    "an SVG with a script": (b"<svg><script>alert(1)</script></svg>", 415, "not-an-image"),
    "cut short": (jpeg()[:400], 422, "damaged-image"),
    "only a head": (b"\xff\xd8\xff\xe0", 422, "damaged-image"),
    "a bomb": (bomb(), 413, "image-too-large"),
    "a GIF": (b"GIF89a" + bytes(40), 415, "not-an-image"),
    "a polyglot of JPEG and ZIP": (b"\xff\xd8\xffPK\x03\x04" + bytes(100), 422, "damaged-image"),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_photos(api, name):
    data, status, word = PHOTOS[name]
    for answer in (detect(api, data), api.post("/v1/detect", json={"photo": base64.b64encode(data).decode()})):
        assert (answer.status_code, kind(answer)) == (status, word)


def test_faces(api, photo):
    noise = jpeg()
    assert detect(api, noise).json()["faces"] == []
    answer = api.post("/v1/verify", files={"probe": noise, "reference": photo("obama.jpg")})
    assert (answer.status_code, kind(answer)) == (422, "no-face")
    two = Image.new("RGB", (1400, 700))
    for place, name in enumerate(("obama.jpg", "biden.jpg")):
        picture = Image.open(io.BytesIO(photo(name))).convert("RGB")
        picture.thumbnail((700, 700))
        two.paste(picture, (700 * place, 0))
    buffer = io.BytesIO()
    two.save(buffer, "JPEG", quality=95)
    answer = api.post("/v1/verify", files={"probe": buffer.getvalue(), "reference": photo("obama.jpg")})
    assert (answer.status_code, kind(answer)) == (422, "several-faces")
    assert len(detect(api, buffer.getvalue()).json()["faces"]) == 2


def test_too_many_faces(serve, photo):
    api = serve(max_faces=1)
    two = Image.new("RGB", (1400, 700))
    for place in range(2):
        picture = Image.open(io.BytesIO(photo("obama.jpg"))).convert("RGB")
        picture.thumbnail((700, 700))
        two.paste(picture, (700 * place, 0))
    buffer = io.BytesIO()
    two.save(buffer, "JPEG")
    answer = api.post("/v1/galleries/people/identify", files={"photo": buffer.getvalue()})
    assert (answer.status_code, kind(answer)) == (413, "request-too-large")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "word"),
    [
        ("text/plain", b"hello", 415, "unsupported-media"),
        ("", b"hello", 415, "unsupported-media"),
        ("application/x-www-form-urlencoded", b"photo=x", 415, "unsupported-media"),
        ("application/json", b"", 422, "malformed-request"),
        ("application/json", b"{", 422, "malformed-request"),
        ("application/json", b"[1]", 422, "malformed-request"),
        ("application/json", b'"x"', 422, "malformed-request"),
        ("application/json", b"\xff\xfe{}", 422, "malformed-request"),
        ("application/json", b'{"photo": null}', 422, "malformed-request"),
        ("application/json", b'{"photo": 7}', 422, "malformed-request"),
        ("application/json", b'{"photo": "not base64!"}', 422, "malformed-request"),
        ("application/json", b'{"photo": "/etc/passwd"}', 422, "malformed-request"),
        ("application/json", b'{"photo": "https://example.org/a.jpg"}', 422, "malformed-request"),
        ("application/json", b'{"photo": "file:///etc/passwd"}', 422, "malformed-request"),
        ("application/json", b'{"photo": "", "extra": 1}', 422, "malformed-request"),
        ("application/json", b"[" * 200_000, 422, "malformed-request"),
        ("application/json", b'{"a":' * 100_000, 422, "malformed-request"),
        ("application/json", b'{"photo": 1' + b"0" * 100_000 + b"}", 422, "malformed-request"),
        ("multipart/form-data", b"hello", 422, "malformed-request"),
        ("multipart/form-data; boundary=", b"--\r\n", 422, "malformed-request"),
        ("multipart/form-data; boundary=x", b"--y\r\n", 422, "malformed-request"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
            422,
            "malformed-request",
        ),
        ("multipart/form-data; boundary=x; charset=nonsense", b"--x--\r\n", 422, "malformed-request"),
    ],
)
def test_bodies(api, content_type, body, status, word):
    answer = api.post("/v1/detect", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, kind(answer)) == (status, word)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\0b"},
        {"name": "a\nb"},
        {"name": "   "},
        {"name": "\ud800"},
        {"name": ["a"]},
        {"name": None},
        {"name": "Ada", "photos": []},
        {"name": "Ada", "photos": "x"},
        {"name": "Ada", "review": "off"},
        {"name": "Ada", "review": "false"},
        {"name": "Ada", "choose": True},
        {"name": "Ada", "groups": "a"},
        {"name": "Ada", "groups": [""]},
        {"name": "Ada", "groups": [1]},
        {"name": "Ada", "details": {"a": 1}},
        {"name": "Ada", "details": []},
        {"name": "Ada", "__class__": "x"},
    ],
)
def test_forms(api, photo, fields):
    import json

    usual = {"photos": [base64.b64encode(photo("obama.jpg")).decode()]}
    body = json.dumps({**usual, **fields})
    answer = api.post("/v1/galleries/people/people", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    kind(answer)
    assert api.get("/v1/galleries/people/people").json()["total"] == 0


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/b",
        "😀",
        "<script>alert(1)</script>",
        "Robert'); DROP TABLE people;--",
        "ada\u202egnp.exe",
    ],
)
def test_strange_names_are_only_data(serve, photo, name):
    api = serve()
    done = api.post("/v1/galleries/people/people", data={"name": name}, files={"photos": photo("obama.jpg")})
    assert done.status_code == 201
    stored = name.replace("\u202e", "")  # marks of direction make a name look like another
    assert done.json()["person"]["name"] == stored
    answer = api.post("/v1/galleries/people/identify", files={"photo": photo("obama2.jpg")})
    assert answer.json()["faces"][0]["name"] == stored


def test_file_names_are_only_data(serve, photo):
    api = serve()
    files = {"photos": ("../../../tmp/evil\r\nX: y.jpg", photo("obama.jpg"), "text/html")}
    assert api.post("/v1/galleries/people/people", data={"name": "x"}, files=files).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/v1/galleries/..", "/v1/galleries/%2e%2e%2fpeople", "/v1/galleries/people%00", "/v1/galleries/PEOPLE", "/v1/galleries/a b",
        "/v1/galleries/people/people/x", "/v1/galleries/people/people/..%2f..", "/v1/galleries/people/people/" + "0" * 32,
        "/v1/galleries/people/people?limit=0", "/v1/galleries/people/people?limit=x", "/v1/galleries/people/people?limit=99999999999999999999",
        "/v1/galleries/people/people?cursor=%ff", "/v1/galleries/people/people?cursor=AAAA", "/v1/galleries/people/people?search=" + "x" * 300,
        "/v1/nothing", "/v1", "/v2/verify", "/v1/verify/", "/%00", "/js/../../settings.py", "/index.html%00.png",
    ],
)  # fmt: skip
def test_addresses(api, path):
    answer = api.get(path)
    assert answer.status_code in (404, 405, 422)
    kind(answer)


def test_methods(api):
    answer = api.put("/v1/verify")
    assert (answer.status_code, kind(answer)) == (405, "method")
    assert api.request("BREW", "/v1/verify").status_code == 405


def test_sizes(serve, photo):
    api = serve(max_body=300_000, max_photo=100_000, max_photos=2)
    large = api.post("/v1/detect", files={"photo": bytes(400_000)})
    assert (large.status_code, kind(large)) == (413, "request-too-large")
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
    body = (piece for piece in (head, *(bytes(50_000) for _ in range(10))))
    pieces = api.post("/v1/detect", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert pieces.status_code == 413  # no length was declared, and it was cut off all the same
    one = api.post("/v1/detect", files={"photo": photo("obama.jpg")[:150_000]})
    assert (one.status_code, kind(one)) == (413, "image-too-large")
    three = api.post("/v1/galleries/people/people", data={"name": "x"}, files=[("photos", jpeg()) for _ in range(3)])
    assert (three.status_code, kind(three)) == (413, "request-too-large")
    many = api.post("/v1/galleries/people/people", data={"name": "x"}, files=[("photos", b"x") for _ in range(200)])
    assert many.status_code == 422
    lying = api.post("/v1/detect", content=b"x", headers={"Content-Length": "99999999999"})
    assert lying.status_code == 413
    for nonsense in ("-1", "1e3", "½"):
        assert api.post("/v1/detect", content=b"x", headers={"Content-Length": nonsense.encode()}).status_code in (
            413,
            422,
        )


def test_a_field_given_twice(api, photo):
    answer = api.post("/v1/detect", files=[("photo", jpeg()), ("photo", jpeg())])
    assert (answer.status_code, kind(answer)) == (422, "malformed-request")
    assert "more than once" in answer.json()["got"]


def test_claims(api, photo):
    for fields in ({}, {"name": "a", "person_id": "b"}):
        answer = api.post("/v1/galleries/people/verify", data=fields, files={"photo": jpeg()})
        assert (answer.status_code, kind(answer)) == (422, "malformed-request")
    answer = api.post("/v1/galleries/people/verify", data={"name": "nobody"}, files={"photo": jpeg()})
    assert (answer.status_code, kind(answer)) == (404, "person-not-found")


def test_bodies_of_all_requests_are_bounded(serve):
    """A thousand clients with 40 MB each would be 40 GB."""
    api = serve(max_bodies=100_000)
    busy = api.post("/v1/detect", files={"photo": bytes(200_000)})
    assert (busy.status_code, kind(busy)) == (503, "overloaded")
    assert busy.headers["retry-after"] == "1"
    for _ in range(3):  # what was held is given back
        assert api.post("/v1/detect", files={"photo": bytes(60_000)}).status_code == 415

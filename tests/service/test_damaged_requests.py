"""Heads of requests that no client sends: any bytes in methods, paths, queries and headers are answered, never by a 500."""

from __future__ import annotations

import asyncio
import json
import os
import random

import pytest

from sameface.service.app import create_app

CASES = int(os.environ.get("SAMEFACE_FUZZ_CASES", "400"))

HEADERS = [
    "host", "origin", "authorization", "x-api-key", "content-type", "content-length", "x-request-id", "x-forwarded-host", "x-forwarded-for",
    "x-forwarded-proto", "transfer-encoding", "accept", "cookie", "range", "if-none-match", "if-modified-since", "expect", "referer",
]  # fmt: skip
PIECES = [
    b"[", b"]", b"http://", b"https://", b"//", b"://", b"@", b":", b":99999", b":-1", b"%", b"%00", b"%zz", b"\xff", b"\x80\xe9", b"127.0.0.1",
    b"localhost", b"null", b"multipart/form-data", b"; boundary=", b"application/json", b"; charset=", b"utf-7", b"Bearer ", b"sf_", b"a" * 3000,
    b"1e9", b"-1", b"+1", b" 1", b"0x1", b"bytes=0-", b"bytes=-1,5-", b"Wed, 21 Oct 2015 07:28:00 GMT", b",", b";", b"=", b'"', b"\t", b"", b"{",
    b"..", b"/", b"?", b"#", b"\xc3\xa9",
]  # fmt: skip
PATHS = [
    "/", "/v1/health", "/v1/verify", "/v1/galleries", "/v1/galleries/people", "/v1/galleries/people/people", "/v1/galleries/people/identify",
    "/v1/openapi.json", "/js/main.js", "/v1/metrics", "/v1/reports/x", "/v1/galleries/people/people/" + "0" * 32,
]  # fmt: skip
METHODS = [
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "HEAD",
    "TRACE",
    "CONNECT",
    "",
    "get",
    "BREW",
    "\u00e9",
    "A" * 200,
]


def made_up(draw: random.Random) -> tuple[dict, bytes]:
    def words(most: int) -> bytes:
        return b"".join(draw.choice(PIECES) for _ in range(draw.randint(0, most)))

    path = draw.choice(PATHS) + (words(3).decode("latin-1") if draw.random() < 0.5 else "")
    headers = [(draw.choice(HEADERS).encode(), words(4)) for _ in range(draw.randint(0, 6))]
    if draw.random() < 0.7:
        headers.insert(0, (b"host", b"127.0.0.1"))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": draw.choice(METHODS), "path": path,
        "raw_path": path.encode("utf-8", "replace"), "query_string": words(4), "root_path": "", "headers": headers,
        "client": draw.choice([("127.0.0.1", 1), None, ("", 0), ("not an address", 1)]), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    return scope, words(6)


async def answer_of(app, scope: dict, body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    sent = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), 60)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent)


@pytest.mark.parametrize("proxies", ["", "*"])
def test_no_head_is_a_fault(make_settings, proxies, caplog):
    app = create_app(make_settings(proxies=proxies, rate=1e6, burst=10**6))
    app.state.desk.load()

    async def all_of_them() -> None:
        draw = random.Random(11)
        for _ in range(CASES):
            scope, body = made_up(draw)
            about = {name: scope[name] for name in ("method", "path", "query_string", "headers", "client")}
            status, headers, got = await answer_of(app, scope, body)
            assert 200 <= status < 500, (status, about)
            if (
                status >= 400 and status != 416 and b"range" not in dict(scope["headers"])
            ):  # ranges of files are Starlette's
                assert headers[b"content-type"] == b"application/problem+json", about
                if scope["method"] != "HEAD":
                    assert json.loads(got)["status"] == status
            assert headers[b"x-content-type-options"] == b"nosniff"

    asyncio.run(all_of_them())
    app.state.desk.close()
    assert "Traceback" not in caplog.text

"""Behind a proxy: hosts, clients and prefixes as the proxy saw them, when the proxy is believed."""

from __future__ import annotations

import asyncio

import pytest

from sameface.errors import SettingError
from sameface.service.forwarded import Forwarded
from sameface.service.key_file import KeyFile


def seen(proxies: str, client: str, headers: dict[str, str], path: str = "/v1/health", root_path: str = "") -> dict:
    """What the application sees of a request."""
    found = {}

    async def app(scope, receive, send) -> None:
        found.update(scope)

    scope = {
        "type": "http",
        "path": path,
        "scheme": "http",
        "client": (client, 1),
        "headers": [(b"host", b"inner:8000"), *((name.encode(), value.encode()) for name, value in headers.items())],
    }
    asyncio.run(Forwarded(app, proxies, root_path)(scope, None, None))
    return found


HEADERS = {"x-forwarded-host": "faces.example:8443, other", "x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https"}


@pytest.mark.parametrize("proxies", ["10.0.0.1", "10.0.0.0/8", "*", "1.2.3.4, 10.0.0.1"])
def test_a_proxy_that_is_believed(proxies):
    scope = seen(proxies, "10.0.0.1", HEADERS)
    assert dict(scope["headers"])[b"host"] == b"faces.example:8443"
    assert sum(name == b"host" for name, _ in scope["headers"]) == 1
    assert (scope["client"][0], scope["scheme"]) == ("9.9.9.9", "https")


@pytest.mark.parametrize("proxies", ["", "10.0.0.2", "192.168.0.0/16"])
def test_anybody_else_is_not(proxies):
    scope = seen(proxies, "10.0.0.1", HEADERS)
    assert dict(scope["headers"])[b"host"] == b"inner:8000"
    assert (scope["client"][0], scope["scheme"]) == ("10.0.0.1", "http")


@pytest.mark.parametrize("host", ["", "a b", "http://x", "x/y", "x" * 300, "a@b", "\xc3\xa9"])
def test_hosts_that_are_none(host):
    assert dict(seen("*", "10.0.0.1", {"x-forwarded-host": host})["headers"])[b"host"] == b"inner:8000"


@pytest.mark.parametrize("bad", ["nonsense", "10.0.0.0/99"])
def test_proxies_that_are_none(bad):
    with pytest.raises(SettingError):
        Forwarded(lambda: None, bad)


@pytest.mark.parametrize("bad", ["faces", "/a b", "/a/../b?x", "//x"])
def test_prefixes_that_are_none(bad):
    with pytest.raises(SettingError):
        Forwarded(lambda: None, "", bad)


def test_the_page_enrolls_behind_a_proxy(serve, tmp_path):
    """The browser says `Origin: https://faces.example`; the proxy says `Host: inner:8000`. That was refused."""
    keys = KeyFile(tmp_path / "keys.json")
    key, _ = keys.add("admin")
    headers = {
        "Host": "inner:8000", "Origin": "https://faces.example", "X-Forwarded-Host": "faces.example", "X-Forwarded-Proto": "https", "X-API-Key": key,
    }  # fmt: skip
    api = serve(keys=keys.path, proxies="*")
    assert api.post("/v1/galleries", json={"name": "x"}, headers=headers).status_code == 201
    evil = {**headers, "Origin": "https://evil.example"}
    assert api.post("/v1/galleries", json={"name": "y"}, headers=evil).status_code == 403


@pytest.mark.parametrize("path", ["", "/faces"])
def test_a_prefix_whether_the_proxy_takes_it_off_or_not(serve, path):
    api = serve(root_path="/faces")
    assert api.get(f"{path}/v1/health").json() == {"status": "ok"}
    assert api.get(f"{path}/v1/health").headers["cache-control"] == "no-store"
    assert api.get(f"{path}/").headers["content-type"].startswith("text/html")
    assert api.get(f"{path}/js/main.js").status_code == 200
    assert api.get(f"{path}/v1/openapi.json").json()["servers"] == [{"url": "/faces"}]

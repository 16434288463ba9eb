"""Behind a proxy: whose ``X-Forwarded-*`` headers are believed, and the path prefix under which the proxy shows the service."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from sameface.errors import SettingError

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?\Z|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?\Z")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]{1,100}){1,10}\Z")


class Forwarded:
    """Client, scheme and host as the proxy saw them, when the request comes from a proxy that is believed; and the prefix.

    The prefix works whether the proxy takes it off or leaves it on.

    Args:
        app: what answers.
        proxies: addresses or networks, by commas; ``*`` believes everybody, "" nobody.
        root_path: the prefix, like ``/faces``; "" for none.
    """

    def __init__(self, app: ASGIApp, proxies: str, root_path: str = "") -> None:
        self._app = app
        self._trusted = _networks(proxies)
        self._root_path = check_prefix(root_path)
        self._inner: ASGIApp = app
        if self._trusted:
            self._inner = ProxyHeadersMiddleware(app, trusted_hosts=proxies)  # type: ignore[arg-type, assignment]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        if self._trusted and client and self._believes(client[0]):
            host = Headers(scope=scope).get("x-forwarded-host", "").split(",")[0].strip()
            if _HOST.match(host):
                others = [(name, value) for name, value in scope["headers"] if name != b"host"]
                scope["headers"] = [(b"host", host.encode()), *others]
        if self._root_path:
            path = scope["path"]
            on = path == self._root_path or path.startswith(f"{self._root_path}/")
            scope["root_path"] = self._root_path
            scope["path"] = path if on else self._root_path + path
        await self._inner(scope, receive, send)

    def _believes(self, address: str) -> bool:
        if self._trusted == "*":
            return True
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._trusted)


def check_prefix(root_path: str) -> str:
    """A path prefix without its last slash.

    Raises:
        SettingError: anything but plain path parts.

    >>> check_prefix("/faces/"), check_prefix("")
    ('/faces', '')
    """
    prefix = root_path.rstrip("/")
    if prefix and not _PREFIX.match(prefix):
        raise SettingError(
            expected="a path prefix like /faces", got=repr(root_path[:100]), advice="use letters, digits and . _ ~ -"
        )
    return prefix


def _networks(proxies: str) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] | str:
    if proxies.strip() == "*":
        return "*"
    try:
        return [ipaddress.ip_network(one.strip(), strict=False) for one in proxies.split(",") if one.strip()]
    except ValueError as error:
        raise SettingError(
            expected="addresses or networks of proxies, by commas", got=repr(proxies[:100]), advice="correct the list"
        ) from error

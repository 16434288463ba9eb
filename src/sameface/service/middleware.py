"""What every request goes through, before anything is read and after everything is answered."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sameface.errors import (
    MalformedRequestError,
    NotAllowedError,
    RequestTimeoutError,
    RequestTooLargeError,
    SamefaceError,
)
from sameface.service.body_budget import BodyBudget, Taken
from sameface.service.logs import fields
from sameface.service.problem import problem, told
from sameface.service.settings import Settings, is_loopback
from sameface.service.telemetry import Telemetry
from sameface.service.tracing import Tracing

log = logging.getLogger("sameface.service")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PORTS: Final = {"http": 80, "https": 443}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_SECURITY_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "x-frame-options": "DENY",
}


class Doorkeeper:
    """Request ids, hosts and origins, caps on the body, security headers, one log line and the counters.

    Args:
        app: what is guarded.
        settings: the caps.
        telemetry: the counters.
        tracing: where finished requests are told.

    Without keys only loopback names may address the service, or any web page whose name somebody points at this machine could use it.
    """

    def __init__(self, app: ASGIApp, settings: Settings, telemetry: Telemetry, tracing: Tracing) -> None:
        self._app = app
        self._settings = settings
        self._telemetry, self._tracing = telemetry, tracing
        self._budget = BodyBudget(settings.max_bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500
        answered = False
        taken = Taken()

        async def send_guarded(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], True
                self._dress(MutableHeaders(scope=message), request_id, _path_of(scope))
            await send(message)

        try:
            self._check(scope, headers)
            await self._app(scope, self._capped(receive, taken), send_guarded)
        except SamefaceError as error:
            answer = told(error, scope["state"])
            if answered:
                raise
            await answer(scope, receive, send_guarded)
        except Exception:
            log.exception("request %s failed", request_id, extra=fields(request_id=request_id, error="fault"))
            scope["state"]["error"] = "fault"
            if answered:
                raise
            fault = SamefaceError(expected="", got="", advice="tell the operator the request id")
            await problem(fault, request_id)(scope, receive, send_guarded)
        finally:
            self._budget.give_back(taken)
            self._finish(scope, status, time.perf_counter() - started)

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        """Count the request and write its line. Methods and routes are of fixed sets: what a stranger makes up is "other"."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = getattr(scope.get("route"), "path", "other")
        self._telemetry.requests.labels(method, route, str(status)).inc()
        self._telemetry.seconds.labels(route).observe(seconds)
        state = scope["state"]
        self._tracing.finished(Headers(scope=scope), method, route, status, seconds, state["request_id"])
        key, error, request_id = state.get("key_id", "-"), state.get("error", ""), state["request_id"]
        log.info(
            "%s %s %s %.1f ms request=%s key=%s%s",
            method,
            route,
            status,
            seconds * 1000,
            request_id,
            key,
            f" error={error}" if error else "",
            extra=fields(
                request_id=request_id,
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                key=key,
                client=(scope.get("client") or ("",))[0],
                error=error or None,
            ),
        )

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        name, _ = _authority(host, scope["scheme"])
        listed = {_authority(item, "")[0] for item in self._settings.allowed_hosts}
        allowed = name in listed if listed else self._settings.asks_who or is_loopback(name)
        if not allowed:
            raise NotAllowedError(
                expected="a host name that this service answers to",
                got=repr(host[:100]),
                advice="use 127.0.0.1 or localhost, or start the service with --allowed-host",
            )
        origin = headers.get("origin")
        if (
            origin is not None
            and scope["method"] not in ("GET", "HEAD")
            and not _same_site(origin, host, scope["scheme"])
        ):
            raise NotAllowedError(
                expected="a request from the service's own page",
                got="one from another site",
                advice="call the API from a server instead, or let the proxy send X-Forwarded-Host and name it with --behind-proxy",
            )
        length = headers.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit() and len(length) < 20):
            raise MalformedRequestError(expected="a content length", got=repr(length[:20]), advice="send a number")
        if length is not None and int(length) > self._settings.max_body:
            raise self._too_large()

    def _capped(self, receive: Receive, taken: Taken) -> Receive:
        """The body as it comes, within the caps on bytes and time; the clock starts with the first byte that is asked for."""
        seen = 0
        whole = False
        deadline: float | None = None

        async def receive_capped() -> Message:
            nonlocal seen, whole, deadline
            if whole:  # whoever asks now waits for the client to hang up
                return await receive()
            loop = asyncio.get_running_loop()
            if deadline is None:
                deadline = loop.time() + self._settings.timeout
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                raise RequestTimeoutError(
                    expected=f"the whole request within {self._settings.timeout:g} s",
                    got="a part of it",
                    advice="send it faster",
                ) from error
            seen += len(message.get("body", b""))
            self._budget.take(taken, len(message.get("body", b"")))
            whole = not message.get("more_body", False)
            if seen > self._settings.max_body:
                raise self._too_large()
            return message

        return receive_capped

    def _too_large(self) -> RequestTooLargeError:
        return RequestTooLargeError(
            expected=f"a request of at most {self._settings.max_body:,} bytes",
            got="more",
            advice="send fewer or smaller photos",
        )

    def _dress(self, headers: MutableHeaders, request_id: str, path: str) -> None:
        headers["x-request-id"] = request_id
        for name, value in _SECURITY_HEADERS.items():
            headers[name] = value
        headers["cache-control"] = "no-store" if path.startswith("/v1") else "no-cache"
        if self._settings.secure:
            headers["strict-transport-security"] = "max-age=31536000"


def _authority(host: str, scheme: str) -> tuple[str, int | None]:
    """Name and port of a ``Host`` header; ("", None) for what is none.

    >>> _authority("Faces.example", "https"), _authority("[::1]:80", "http"), _authority("[", "http")
    (('faces.example', 443), ('::1', 80), ('', None))
    """
    try:
        parts = urlsplit(f"//{host}")
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            return "", None
        return (parts.hostname or "").removesuffix("."), parts.port or _PORTS.get(scheme)
    except ValueError:
        return "", None


def _same_site(origin: str, host: str, scheme: str) -> bool:
    """Whether a page's ``Origin`` is this service: the same name and port. A proxy may speak TLS where we do not, so the page's scheme
    says which port is left out."""
    page_scheme, found, authority = origin.partition("://")
    name, port = _authority(authority, page_scheme)
    fits = page_scheme == "https" or scheme != "https"
    return bool(found and name) and fits and (name, port) == _authority(host, page_scheme)


def _path_of(scope: Scope) -> str:
    """The path below the prefix under which a proxy shows the service."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))

"""Errors as ``application/problem+json`` (RFC 9457), from the one table of outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.responses import JSONResponse

from sameface.errors import RequestError, SamefaceError
from sameface.recognizer import wire

MEDIA_TYPE: Final = "application/problem+json"


def problem(error: SamefaceError, request_id: str) -> JSONResponse:
    """The response for a typed error. Faults of the server tell their kind, never paths or other innards."""
    body = wire.problem(error, request_id)
    if body.status >= 500 and not isinstance(error, RequestError):
        body = replace(
            body,
            expected="",
            got="",
            advice="tell the operator the request id",
            detail="The server cannot do this now. Tell the operator the request id.",
        )
    headers = {}
    if body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    retry = getattr(error, "retry_after", None)
    if retry is not None:
        headers["Retry-After"] = str(retry)
    return JSONResponse(wire.to_dict(body), body.status, headers, MEDIA_TYPE)

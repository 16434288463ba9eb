"""Errors as ``application/problem+json`` (RFC 9457), from the one table of outcomes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Final

from starlette.responses import JSONResponse

from sameface.errors import (
    EmbeddingError,
    FaceError,
    GalleryMissingError,
    ImageError,
    PersonError,
    RequestError,
    SamefaceError,
    kind_of,
)
from sameface.recognizer import wire
from sameface.service.logs import fields

log = logging.getLogger("sameface.service")

MEDIA_TYPE: Final = "application/problem+json"


#: Kinds whose words are about the request, and so for the caller. Others tell of files, settings and models of the server.
_FOR_CALLERS: Final = (RequestError, ImageError, FaceError, PersonError, EmbeddingError, GalleryMissingError)


def told(error: SamefaceError, state: dict[str, Any]) -> JSONResponse:
    """The response for an error, with a line in the log that ties it to the request where the fault is not the caller's."""
    kind, request_id = kind_of(type(error)), state["request_id"]
    state["error"] = kind
    if not _is_for_callers(error):
        log.error("request %s: %s: %s", request_id, kind, error, extra=fields(request_id=request_id, error=kind))
    return problem(error, request_id)


def problem(error: SamefaceError, request_id: str) -> JSONResponse:
    """The response for a typed error. Faults of the server tell their kind, never paths or other innards."""
    body = for_caller(wire.problem(error, request_id), error)
    headers = {}
    if body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    retry = getattr(error, "retry_after", None)
    if retry is not None:
        headers["Retry-After"] = str(retry)
    return JSONResponse(body.to_dict(), body.status, headers, MEDIA_TYPE)


def for_caller(body: wire.Problem, error: SamefaceError) -> wire.Problem:
    """A problem without what is the server's own."""
    if _is_for_callers(error):
        return body
    return replace(
        body,
        expected="",
        got="",
        advice="tell the operator the request id",
        detail="The server cannot do this now. Tell the operator the request id.",
    )


def _is_for_callers(error: SamefaceError) -> bool:
    return isinstance(error, _FOR_CALLERS)

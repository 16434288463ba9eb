"""Errors as ``application/problem+json`` (RFC 9457), from the one table of outcomes."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.responses import JSONResponse

from sameface.errors import OUTCOMES, RequestError, SamefaceError

MEDIA_TYPE: Final = "application/problem+json"


def kind_of(error_class: type[SamefaceError]) -> str:
    """The stable word for an error class.

    >>> from sameface.errors import NoFaceError, NotAGalleryError
    >>> kind_of(NoFaceError), kind_of(NotAGalleryError)
    ('no-face', 'not-a-gallery')
    """
    words = re.findall(r"[A-Z][a-z]*", error_class.__name__.removesuffix("Error"))
    return "-".join(word.lower() for word in words)


def status_of(error: SamefaceError) -> int:
    """The HTTP status of an error: its class's, else that of the nearest class above it."""
    return next(OUTCOMES[kind].http_status for kind in type(error).__mro__ if kind in OUTCOMES)


def problem(error: SamefaceError, request_id: str) -> JSONResponse:
    """The response for a typed error. Faults of the server tell their kind, never paths or other innards."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": f"urn:sameface:{kind_of(type(error))}",
        "title": (type(error).__doc__ or "").strip().splitlines()[0].rstrip("."),
        "status": status,
        "detail": str(error),
        "expected": error.expected,
        "got": error.got,
        "advice": error.advice,
        "request_id": request_id,
    }
    if status >= 500 and not isinstance(error, RequestError):
        innards = {"expected": "", "got": "", "advice": "tell the operator the request id"}
        body.update(innards, detail="The server cannot do this now. Tell the operator the request id.")
    if reports := getattr(error, "reports", ()):
        body["reports"] = [
            {"photo": place, "reason": report.reason, "detail": report.detail, "looks_like": report.looks_like}
            for place, report in enumerate(reports)
        ]
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    retry = getattr(error, "retry_after", None)
    if retry is not None:
        headers["Retry-After"] = str(retry)
    return JSONResponse(body, status, headers, MEDIA_TYPE)

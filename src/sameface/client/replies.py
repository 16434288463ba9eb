"""What comes back: whether to ask again, and the errors of the service as the library's own."""

from __future__ import annotations

from typing import Any, Final

import httpx

from sameface import errors
from sameface.errors import SamefaceError, ServiceError

#: Refusals before any work: the same request may be sent again.
_REFUSALS: Final = frozenset({"urn:sameface:rate-limited", "urn:sameface:overloaded"})
#: Seconds at most before a refused request is sent again.
_LONGEST_WAIT: Final = 10.0


def settings(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    """The arguments of httpx's clients, but the transport."""
    return {
        "base_url": f"{url.rstrip('/')}/v1/",
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
        "timeout": timeout,
        "follow_redirects": False,
    }


def wait_after_failure(attempt: int, retries: int, error: httpx.TransportError) -> float | None:
    """Seconds until a request is sent again that did not get through; None: it is not, since something may have been done."""
    return 0.2 * 2**attempt if isinstance(error, httpx.ConnectError) and attempt < retries else None


def wait_after_answer(attempt: int, retries: int, response: httpx.Response) -> float | None:
    """Seconds until a request is sent again that was refused; None: the answer stands."""
    if attempt == retries or not _was_refused(response):
        return None
    return min(float(response.headers.get("retry-after", "1")), _LONGEST_WAIT)


def body_of(response: httpx.Response) -> dict[str, Any]:
    """The body of an answer.

    Raises:
        SamefaceError: the very class that the service raised, with its expected, got and advice.
        ServiceError: an answer that is not the service's.
    """
    if response.is_success:
        return dict(response.json())
    raise _error_of(response)


def unreachable(url: httpx.URL, error: Exception) -> ServiceError:
    """The error for a service that does not answer."""
    if isinstance(error, httpx.UnsupportedProtocol):
        return ServiceError(
            expected="an address that begins with http:// or https://",
            got=str(url).removesuffix("/v1/"),
            advice="write it like http://127.0.0.1:8000",
        )
    return ServiceError(
        expected=f"a service at {url}",
        got=(str(error) or type(error).__name__).rstrip("."),
        advice="check that it runs",
    )


def kinds() -> dict[str, type[SamefaceError]]:
    """Error classes by the word that the service sends: ``no-face`` → `NoFaceError`."""
    return {errors.kind_of(kind): kind for kind in errors.OUTCOMES}


def _was_refused(response: httpx.Response) -> bool:
    """Whether the service was busy and did nothing; a time-out, say, may still have stored something."""
    if response.status_code not in (429, 503):
        return False
    try:
        return response.json().get("type") in _REFUSALS
    except (ValueError, AttributeError):
        return False


def _error_of(response: httpx.Response) -> SamefaceError:
    try:
        body = response.json()
        word = str(body["type"]).removeprefix("urn:sameface:")
        parts = {name: str(body[name]) for name in ("expected", "got", "advice")}
    except (ValueError, KeyError, TypeError):
        return ServiceError(
            expected="an answer of a sameface service",
            got=f"status {response.status_code} from {response.url.host}",
            advice="check the address, and any proxy in between",
        )
    error = kinds().get(word, SamefaceError)(**parts)
    error.add_note(f"request {body.get('request_id', '')}")
    return error

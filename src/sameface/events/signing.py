"""Signatures of webhooks: HMAC-SHA256 over the time and the body, so that nobody else can make one and an old one is of no use.

The header is ``Sameface-Signature: t=SECONDS,v1=HEX``, where HEX is the HMAC of ``SECONDS.BODY`` with the shared secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

HEADER: Final = "Sameface-Signature"
ID_HEADER: Final = "Sameface-Event"
_FORM: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def signature(secret: bytes, body: bytes, at: int) -> str:
    """The header of a body.

    Args:
        secret: shared with the receiver.
        at: seconds since 1970.

    >>> signature(b"secret", b"{}", 0)[:16]
    't=0,v1=4bbe8d39d'
    """
    digest = hmac.new(secret, str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_signed(secret: bytes, body: bytes, header: str, now: float, *, tolerance: float = 300.0) -> bool:
    """Whether a body came from who knows the secret, not long ago; for receivers.

    Args:
        header: as it came.
        now: seconds since 1970.
        tolerance: seconds that it may be old, or ahead.

    >>> is_signed(b"secret", b"{}", signature(b"secret", b"{}", 100), 160), is_signed(b"secret", b"{}", "t=1,v1=no", 1)
    (True, False)
    """
    found = _FORM.fullmatch(header)
    if found is None or abs(now - int(found[1])) > tolerance:
        return False
    return hmac.compare_digest(signature(secret, body, int(found[1])), header)

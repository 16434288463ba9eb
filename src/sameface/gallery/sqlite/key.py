"""Where the key of an encrypted gallery comes from: an argument, a file, or the environment; never a default."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from sameface.errors import GalleryKeyError

#: The key as 64 hex digits, or ``@`` and the path of a file that holds them.
VARIABLE: Final = "SAMEFACE_GALLERY_KEY"
_BYTES: Final = 32


def new_key() -> str:
    """A fresh random key as 64 hex digits.

    >>> len(new_key()), new_key() == new_key()
    (64, False)
    """
    return secrets.token_hex(_BYTES)


def read_key(given: str | Path | None) -> bytes | None:
    """The key of an argument, else of ``$SAMEFACE_GALLERY_KEY``, else None.

    Args:
        given: 64 hex digits, ``@`` and a path, or a `Path` to a file.

    Raises:
        GalleryKeyError: no such file, or not 64 hex digits; the message does not repeat them.
    """
    where = "the key that was given"
    if given is None:
        given = os.environ.get(VARIABLE, "").strip() or None
        where = VARIABLE
    if given is None:
        return None
    text = str(given)
    if isinstance(given, Path) or text.startswith("@"):
        path = given if isinstance(given, Path) else Path(text[1:])
        where = str(path)
        try:
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise GalleryKeyError(
                expected=f"a key file at {path}",
                got=getattr(error, "strerror", None) or "something unreadable",
                advice="check the path and its permissions",
            ) from error
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise GalleryKeyError(
            expected=f"{2 * _BYTES} hex digits in {where}",
            got="something else",
            advice="make a key with `sameface gallery key`, and keep a copy of it",
        )
    return key

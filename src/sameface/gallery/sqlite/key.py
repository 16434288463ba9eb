"""Where the key of an encrypted gallery comes from: an argument, a file, a command, or the environment; never a default."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
from pathlib import Path
from typing import Final

from sameface.errors import GalleryKeyError

#: The key as 64 hex digits, ``@`` and the path of a file that holds them, or ``!`` and a command that prints them.
VARIABLE: Final = "SAMEFACE_GALLERY_KEY"
_BYTES: Final = 32
#: Seconds for a command, which may ask a vault elsewhere.
_PATIENCE: Final = 60


def new_key() -> str:
    """A fresh random key as 64 hex digits.

    >>> len(new_key()), new_key() == new_key()
    (64, False)
    """
    return secrets.token_hex(_BYTES)


def read_key(given: str | Path | None) -> bytes | None:
    """The key of an argument, else of ``$SAMEFACE_GALLERY_KEY``, else None.

    Args:
        given: 64 hex digits, ``@`` and a path, ``!`` and a command, or a `Path` to a file.

    Raises:
        GalleryKeyError: no such file or command, or not 64 hex digits; the message does not repeat them.
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
        where, text = str(path), _of_file(path)
    elif text.startswith("!"):
        words = _words(text[1:])
        where, text = f"what {words[0]} printed", _of_command(words)
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


def _of_file(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise GalleryKeyError(
            expected=f"a key file at {path}",
            got=getattr(error, "strerror", None) or "something unreadable",
            advice="check the path and its permissions",
        ) from error


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:  # a quotation that does not end
        words = []
    if not words:
        raise GalleryKeyError(
            expected="a command after the !", got="none that can be read", advice="write it like !pass show sameface"
        )
    return words


def _of_command(words: list[str]) -> str:
    """What a command prints. It runs without a shell; what it says on standard error is shown to nobody but the terminal."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL)
        return done.stdout.decode("ascii")
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        got = getattr(error, "strerror", None)
        if isinstance(error, subprocess.CalledProcessError):
            got = f"exit code {error.returncode}"
        elif isinstance(error, subprocess.TimeoutExpired):
            got = f"no answer within {_PATIENCE} s"
        raise GalleryKeyError(
            expected=f"a key from the command {words[0]}",
            got=got or "something unreadable",
            advice="run the command yourself and look",
        ) from None

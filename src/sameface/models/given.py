"""Where encoders lie that were given as files: a gallery keeps an id alone, and must find the network again.

One small file for each id, in the folder of models, holds the path that was given. The id ends in the digest of what the encoder computes,
so a network that was replaced since is noticed by whoever loads it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from sameface.errors import OutputError, StorageFullError
from sameface.files import atomic_write, path_as_text, path_from_text
from sameface.models.registry import models_folder

_IDENTITY: Final = re.compile(r"[a-z0-9][a-z0-9.-]*@[0-9a-f]{8}")


def remember_given(identity: str, given: str | Path) -> None:
    """Keep where an encoder's file lies; where the folder of models cannot be written, nothing is kept.

    Args:
        identity: the encoder's id with its digest; another id needs no file to be found.
        given: what it was loaded by; nothing is kept of a name, only of the path of a network or card.
    """
    file = Path(given).absolute()
    if not (str(given).endswith((".onnx", ".toml")) and _IDENTITY.fullmatch(identity)) or given_file(identity) == file:
        return
    with suppress(OutputError, StorageFullError), atomic_write(_place(identity)) as part:
        part.write_text(path_as_text(file) + "\n", encoding="utf-8")


def given_file(identity: str) -> Path | None:
    """Where an encoder's file lay when it was given; None where it never was, or lies there no more."""
    if not _IDENTITY.fullmatch(identity):
        return None
    try:
        path = path_from_text(_place(identity).read_text(encoding="utf-8").removesuffix("\n"))
    except (OSError, UnicodeDecodeError):
        return None
    return path if path.is_file() else None


def _place(identity: str) -> Path:
    return models_folder() / "given" / f"{identity}.path"

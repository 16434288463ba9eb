"""Digests of files whose publishers give none: that of the file that came first, remembered beside it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from sameface.files import atomic_write, sha256_of
from sameface.models.card import ModelCard

_DIGEST = re.compile(r"[0-9a-f]{64}")


def remember(file: Path) -> str:
    """Keep the digest of a file that was just fetched; from now on another file of that name is damaged.

    Returns:
        The digest.
    """
    digest = sha256_of(file)
    with atomic_write(_beside(file), everybody=True) as part:
        part.write_text(digest + "\n", encoding="ascii")
    return digest


def remembered(file: Path) -> str:
    """The digest that was remembered, "" when none was."""
    try:
        text = _beside(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if _DIGEST.fullmatch(text) else ""


def forget(file: Path) -> None:
    """Remember no digest any more."""
    _beside(file).unlink(missing_ok=True)


def with_remembered(card: ModelCard, folder: Path) -> ModelCard:
    """The card with what was remembered of files that have an address and no published digest."""
    if all(file.sha256 or not file.url for file in card.files):
        return card
    files = tuple(
        file if file.sha256 or not file.url else dataclasses.replace(file, sha256=remembered(folder / file.name))
        for file in card.files
    )
    return dataclasses.replace(card, files=files)


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")

"""A model's card as a file: TOML, read strictly and written without what goes without saying."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from sameface.errors import ModelCardError
from sameface.models.card import ModelCard
from sameface.plain import known


def read_card(text: str, *, name: str) -> ModelCard:
    """Read a card from TOML.

    Args:
        text: the file's content.
        name: what to call it in errors.

    Raises:
        ModelCardError: not TOML, a field missing, unknown or of the wrong type, or values that do not fit each other.
    """
    import msgspec

    try:
        fields = msgspec.toml.decode(text)
        unknown = sorted(set(fields) - {item.name for item in dataclasses.fields(ModelCard)})
        if unknown:
            raise ModelCardError(
                expected="only fields that a card has",
                got=f"{', '.join(unknown)} in {name}",
                advice="remove or correct them",
            )
        return msgspec.convert(fields, known(ModelCard))
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ModelCardError):
            raise error.__cause__ from None
        raise ModelCardError(
            expected="a complete model card", got=f"{error} in {name}", advice="correct the card"
        ) from error
    except msgspec.DecodeError as error:
        raise ModelCardError(expected="a TOML file", got=f"{error} in {name}", advice="correct the card") from error


def read_card_file(path: Path) -> ModelCard:
    """Read a card from a file.

    Raises:
        ModelCardError: as `read_card`, or no such file, or not text.
    """
    try:
        return read_card(path.read_text(encoding="utf-8"), name=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelCardError(
            expected=f"a card at {path}",
            got=(error.strerror or str(error)) if isinstance(error, OSError) else "bytes that are no text",
            advice="take the network in with `sameface models add`, which writes its card, or write one beside it",
        ) from error


def write_card(card: ModelCard) -> str:
    """A card as TOML; fields that hold their default are left out.

    >>> card = ModelCard("x", "detector", "X", "MIT", "yes")
    >>> read_card(write_card(card), name="here") == card
    True
    """
    lines: list[str] = []
    tables: list[str] = []
    for item in dataclasses.fields(card):
        value = getattr(card, item.name)
        if value in (item.default, ()) and item.name not in ("id", "kind"):
            continue
        if item.name in ("files", "measured"):
            for entry in value:
                tables.append(f"\n[[{item.name}]]")
                tables += [
                    f"{key} = {_toml(part)}"
                    for key, part in dataclasses.asdict(entry).items()
                    if part not in ("", 0, None)
                ]
        else:
            lines.append(f"{item.name} = {_toml(value)}")
    return "\n".join(lines + tables) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)  # JSON strings are TOML basic strings
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return repr(value)

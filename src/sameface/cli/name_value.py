"""``name=value`` on the command line, each value read as what it looks like."""

from __future__ import annotations

from contextlib import suppress

Setting = int | float | bool | str | tuple[int, ...]


def settings_from(given: list[str] | None) -> dict[str, Setting]:
    """``["temperature=0.05", "widths=32,64"]`` by name, each value read as what it looks like."""
    from sameface.errors import SettingError

    found: dict[str, Setting] = {}
    for item in given or []:
        name, _, text = item.partition("=")
        if not (name.strip() and text.strip()):
            raise SettingError(expected="name=value", got=repr(item), advice="for instance temperature=0.05")
        found[name.strip()] = _value(text.strip())
    return found


def _value(text: str) -> Setting:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return float(text)
    with suppress(ValueError):
        return tuple(int(part) for part in text.split(","))
    return text

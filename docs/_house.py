"""Draws the house: the floors and rooms of `src/sameface` as the source has them, into docs/img/house.svg.

    python docs/_house.py            # write it
    python docs/_house.py --check    # exit 1 when the picture is not what the source has

Floors come from the import rules in pyproject.toml, rooms and their roles from the packages' first docstring lines; nothing is drawn by hand.
"""

from __future__ import annotations

import ast
import sys
import textwrap
import tomllib
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src" / "sameface"
PICTURE: Final = ROOT / "docs" / "img" / "house.svg"
#: What people call the floors, from the top; the rules in pyproject.toml say which rooms stand on each.
FLOORS: Final = (
    "edges",
    "edges",
    "one call",
    "studies",
    "use cases",
    "parts",
    "parts",
    "numbers",
    "ground",
    "ground",
    "ground",
)
WIDTH, LEFT, GAP, LINE = 1180, 110, 12, 15


class Room(NamedTuple):
    name: str
    role: str
    inner: tuple[str, ...]


def floors() -> list[list[Room]]:
    """Rooms by floor, top first, as the layers of the import rules list them."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(rule["layers"] for rule in rules if rule["type"] == "layers")
    return [[_room(name.strip(" ()")) for name in layer.replace("|", ":").split(":")] for layer in layers]


def _room(name: str) -> Room:
    folder = SOURCE / name
    if not folder.is_dir():
        return Room(name, _role(folder.with_suffix(".py")), ())
    inner = sorted(item.name for item in folder.iterdir() if (item / "__init__.py").is_file())
    return Room(f"{name}/", _role(folder / "__init__.py"), tuple(f"{item}/" for item in inner))


def _role(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.split("\n")[0].replace("`", "")


def draw() -> str:
    """The picture as SVG; it follows the reader's light or dark theme."""
    parts: list[str] = []
    y = 8
    listed = floors()
    for number, (title, rooms) in enumerate(zip(FLOORS, listed, strict=True)):
        width = (WIDTH - LEFT - GAP * len(rooms)) / len(rooms)
        letters = max(10, int(width / 6.4))
        texts = [textwrap.wrap(room.role, letters) for room in rooms]
        inner = [textwrap.wrap(" ".join(room.inner), letters) for room in rooms]
        height = 30 + LINE * max(len(role) + len(more) for role, more in zip(texts, inner, strict=True))
        if number == 0 or FLOORS[number - 1] != title:
            parts.append(f'<text class="floor" x="8" y="{y + 20}">{escape(title)}</text>')
        for place, room in enumerate(rooms):
            x = LEFT + place * (width + GAP)
            parts.append(f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{height}" rx="6"/>')
            parts.append(f'<text class="room" x="{x + 10:.0f}" y="{y + 20}">{escape(room.name)}</text>')
            at = y + 20
            for line in texts[place]:
                at += LINE
                parts.append(f'<text x="{x + 10:.0f}" y="{at}">{escape(line)}</text>')
            for line in inner[place]:
                at += LINE
                parts.append(f'<text class="inner" x="{x + 10:.0f}" y="{at}">{escape(line)}</text>')
        y += height + GAP
    style = (
        "text{font:11.5px system-ui,sans-serif;fill:#333}.room{font-weight:700;font-size:14px;fill:#0b4f6c}"
        ".floor{font-size:13px;font-weight:600;fill:#777}.inner{fill:#777;font-style:italic}"
        "rect{fill:#f2f7f9;stroke:#9cbcc9}.paper{fill:#fff;stroke:none}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}.room{fill:#7fd1ee}.floor,.inner{fill:#999}"
        "rect{fill:#1d2b31;stroke:#3d5a66}.paper{fill:#111a1e}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'aria-label="The rooms of sameface, floor by floor; imports go downward only">'
        f'<style>{style}</style><rect class="paper" width="{WIDTH}" height="{y}"/>' + "".join(parts) + "</svg>\n"
    )


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(PICTURE.read_text(encoding="utf-8") != draw())
    PICTURE.write_text(draw(), encoding="utf-8")

"""An album as one HTML page that needs nothing else: each group with its faces cut out of the photos."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from sameface.files import path_from_text
from sameface.indexing.album import Album, Face, distances_within
from sameface.recognizer.words import standing_words
from sameface.types import Box, ImageRGB

#: Pixels of a cut-out face; room around its box, as a share of the box.
_SIDE: Final = 112
_ROOM: Final = 0.25
_STYLE: Final = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.4rem}section{border-top:1px solid #8886;padding:1rem 0}h2{font-size:1.1rem;margin:0 0 .5rem}
h2 span{font-weight:400;opacity:.75}ul{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;margin:0;padding:0}
figure{margin:0;width:112px}img{border-radius:6px;display:block;height:112px;object-fit:cover;width:112px}
figcaption{font-size:.75rem;overflow-wrap:anywhere}code{background:#8882;border-radius:4px;padding:.1rem .3rem}
""".strip()


def contact_sheet(
    album: Album, folder: Path, load: Callable[[Path], ImageRGB], *, smallest_group: int = 1, command: str = ""
) -> str:
    """The page.

    Within a group the face least like the others comes last: look there first for one that does not belong.

    Args:
        folder: where the photos lie.
        load: reads a photo as ``(h, w, 3)`` uint8 RGB.
        smallest_group: leave out groups with fewer faces, and say how many.
        command: what a shell takes before ``name``, ``merge`` and ``split``; "" says nothing of commands.
    """
    groups = {number: faces for number, faces in album.groups().items() if len(faces) >= smallest_group}
    left_out = len(album.groups()) - len(groups)
    pictures = _cut_all(album, groups, folder, load)
    sections = "\n".join(_section(album, number, faces, pictures) for number, faces in groups.items())
    more = f" {left_out} smaller groups are not shown." if left_out else ""
    quoted = escape(str(folder))
    commands = _commands(groups, command) if command else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>People in {quoted}</title><style>{_STYLE}</style></head><body>
<h1>People in {quoted}</h1>
<p>{len(album.faces)} faces of {len(album.photos)} photos in {len(album.groups())} groups.{more}</p>
{commands}{sections}
</body></html>
"""


def _commands(groups: dict[int, list[Face]], command: str) -> str:
    """Commands that work as they stand, about groups and faces of this page."""
    numbers = list(groups)
    lines = [("Name a group", f'{command} name {numbers[0]} "Ada Lovelace"')] if numbers else []
    if len(numbers) > 1:
        lines.append(("One person in two groups", f"{command} merge {numbers[0]} {numbers[1]}"))
    several = next(((number, faces) for number, faces in groups.items() if len(faces) > 1), None)
    if several is not None:
        lines.append(("A face that does not belong", f"{command} split {several[0]} {several[1][-1].face_id}"))
    return "".join(f"<p>{escape(what)}: <code>{escape(line)}</code></p>\n" for what, line in lines)


def _section(album: Album, number: int, faces: list[Face], pictures: dict[int, str]) -> str:
    order = np.argsort(distances_within(album.embeddings(faces)), kind="stable")
    title = escape(album.names.get(number, f"Group {number}"))
    items = "\n".join(_item(faces[index], title, pictures) for index in order)
    count = f"{len(faces)} face{'s' if len(faces) != 1 else ''}"
    return f'<section id="group-{number}"><h2>{title} <span>group {number}, {count}</span></h2>\n<ul>\n{items}\n</ul></section>'


def _item(face: Face, title: str, pictures: dict[int, str]) -> str:
    photo = escape(face.photo, quote=True)
    return (
        f'<li><figure><img src="{pictures[face.face_id]}" alt="{escape(title, quote=True)} in {photo}">'
        f"<figcaption>{face.face_id}: {photo}{_standing(face)}</figcaption></figure></li>"
    )


def _standing(face: Face) -> str:
    """What speaks against a face, in words."""
    words = standing_words(face.standing, face.reason) if face.standing in ("poor", "outside") else ""
    return f"<br>{escape(words)}" if words else ""


def _cut_all(
    album: Album, groups: dict[int, list[Face]], folder: Path, load: Callable[[Path], ImageRGB]
) -> dict[int, str]:
    """A data address for each face; every photo is read once."""
    shown = {face.face_id for faces in groups.values() for face in faces}
    by_photo: dict[str, list[Face]] = {}
    for face in album.faces:
        if face.face_id in shown:
            by_photo.setdefault(face.photo, []).append(face)
    addresses = {}
    for photo, faces in by_photo.items():
        image_rgb = load(folder / path_from_text(photo))
        for face in faces:
            addresses[face.face_id] = _data_address(image_rgb, face.box)
    return addresses


def _data_address(image_rgb: ImageRGB, box: Box) -> str:
    from PIL import Image

    x, y = box.center_xy
    half = max(box.width, box.height) * (0.5 + _ROOM)
    cut = Image.fromarray(image_rgb).crop((round(x - half), round(y - half), round(x + half), round(y + half)))
    memory = BytesIO()
    cut.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).save(memory, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()

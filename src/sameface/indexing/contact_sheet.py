"""An album as one HTML page that needs nothing else.

Each group with its faces cut out of the photos, to be named by typing and put right by clicking.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from html import escape
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from sameface.files import path_from_text
from sameface.indexing.album import Album, Face, distances_within
from sameface.recognizer.words import plural, standing_words
from sameface.types import Box, ImageRGB

#: Pixels of a cut-out face; room around its box, as a share of the box.
_SIDE: Final = 128
_ROOM: Final = 0.25


def contact_sheet(
    album: Album, folder: Path, load: Callable[[Path], ImageRGB], *, smallest_group: int = 1, command: str = ""
) -> str:
    """The page.

    Within a group the face least like the others comes last: look there first for one that does not belong.

    Args:
        folder: where the photos lie.
        load: reads a photo as ``(h, w, 3)`` uint8 RGB.
        smallest_group: leave out groups with fewer faces, and say how many.
        command: what a shell takes before ``apply``, ``name``, ``merge`` and ``split``; "" says nothing of commands.
    """
    groups = {number: faces for number, faces in album.groups().items() if len(faces) >= smallest_group}
    left_out = len(album.groups()) - len(groups)
    pictures = _cut_all(album, groups, folder, load)
    sections = "\n".join(_section(album, number, faces, pictures) for number, faces in groups.items())
    more = f" {left_out} smaller groups are not shown." if left_out else ""
    quoted = escape(str(folder))
    style, script = (
        resources.files("sameface.indexing").joinpath("sheet", f"sheet.{kind}").read_text("utf-8")
        for kind in ("css", "js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    names = "".join(
        f'<option value="{escape(name, quote=True)}"></option>' for name in sorted(set(album.names.values()))
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'">
<meta name="color-scheme" content="light dark"><title>People in {quoted}</title><style>{style}</style></head><body>
<main>
<h1>People in {quoted}</h1>
<p class="soft">{plural(len(album.faces), "face")} of {plural(len(album.photos), "photo")} in {plural(len(album.groups()), "group")}.{more}</p>
<p>Type who each group is. The same name twice is one person. Click a face that does not belong to its group; look at the last ones first.</p>
{_commands(groups, command) if command else ""}{sections}
</main>
<datalist id="names">{names}</datalist>
<div class="bar" role="region" aria-label="Your changes"><div>
<p><span id="count" role="status"></span>{_next(command)}</p>
<button type="button" id="save" disabled>Save the list</button>
</div></div>
<script>{script}</script>
</body></html>
"""


def _next(command: str) -> str:
    """What to do with the saved list."""
    words = (
        f" Then run <code>{escape(command)} apply album-changes.json</code>"
        if command
        else " Then apply the saved file."
    )
    return f'<span id="next" hidden>{words}</span>'


def _commands(groups: dict[int, list[Face]], command: str) -> str:
    """Commands that work as they stand, about groups and faces of this page."""
    numbers = list(groups)
    lines = [("Name a group", f'{command} name {numbers[0]} "Ada Lovelace"')] if numbers else []
    if len(numbers) > 1:
        lines.append(("One person in two groups", f"{command} merge {numbers[0]} {numbers[1]}"))
    several = next(((number, faces) for number, faces in groups.items() if len(faces) > 1), None)
    if several is not None:
        lines.append(("A face that does not belong", f"{command} split {several[0]} {several[1][-1].face_id}"))
    shown = "".join(f"<p>{escape(what)}: <code>{escape(line)}</code></p>\n" for what, line in lines)
    return f'<details class="how"><summary>By commands instead</summary>\n{shown}</details>\n' if shown else ""


def _section(album: Album, number: int, faces: list[Face], pictures: dict[int, str]) -> str:
    order = np.argsort(distances_within(album.embeddings(faces)), kind="stable")
    known = album.names.get(number, "")
    name, title = escape(known, quote=True), escape(known or f"Group {number}")
    items = "\n".join(_item(faces[index], title, pictures) for index in order)
    return (
        f'<section id="group-{number}" data-group="{number}" data-name="{name}"><div class="head">'
        f"<h2>{title} <span>group {number}, {plural(len(faces), 'face')}</span></h2>"
        f'<label>Who is this? <input list="names" autocomplete="off" maxlength="200" value="{name}" '
        f'aria-label="Name of group {number}"></label></div>\n'
        f'<ul>\n{items}\n</ul><p class="warning" role="alert" hidden></p></section>'
    )


def _item(face: Face, title: str, pictures: dict[int, str]) -> str:
    photo = escape(face.photo, quote=True)
    return (
        f'<li><figure><button type="button" class="face" aria-pressed="false" data-face="{face.face_id}" data-photo="{photo}" '
        f'title="Not this person?"><img src="{pictures[face.face_id]}" width="{_SIDE}" height="{_SIDE}" decoding="async" '
        f'alt="{title} in {photo}: not this person?"></button>'
        f"<figcaption>{face.face_id}: {photo}{_standing(face)}</figcaption></figure></li>"
    )


def _standing(face: Face) -> str:
    """What speaks against a face, in few words; all of them where one points at it."""
    if face.standing not in ("poor", "outside"):
        return ""
    brief = f"{'doubtful' if face.standing == 'poor' else 'not comparable'}: {face.reason.partition(':')[0]}"
    words = standing_words(face.standing, face.reason)
    return f'<br><span class="doubt" title="{escape(words, quote=True)}">{escape(brief)}</span>'


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

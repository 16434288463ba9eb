"""The main job on real photos: enroll from one portrait each, verify claims, name the faces of a group picture.

The group picture is put together here from the shipped photos, so that the repository holds only originals.
"""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.table import Table

import sameface
from sameface.imaging.annotate import annotate, write_picture
from sameface.recognizer.display import face_labels

PHOTOS = Path(__file__).parent / "photos"
OUTPUT = Path("demo-output")
PORTRAITS = {"Barack Obama": "obama.jpg", "Eileen Collins": "astronaut.png", "Grace Hopper": "grace_hopper.jpg"}
CLAIMS = [
    ("Barack Obama", "obama2.jpg"),
    ("Barack Obama", "obama3.jpg"),
    ("Barack Obama", "biden.jpg"),
    ("Grace Hopper", "astronaut.png"),
]
GROUP = ["obama2.jpg", "astronaut.png", "biden.jpg", "obama3.jpg", "grace_hopper.jpg"]
GROUP_HEIGHT = 720
GAP = 12


def compose_group() -> tuple[Image.Image, dict[str, int]]:
    """The photos side by side at one height, like people in a row; and where each one starts."""
    tiles = []
    for name in GROUP:
        with Image.open(PHOTOS / name) as photo:
            width = round(photo.width * GROUP_HEIGHT / photo.height)
            tiles.append(photo.convert("RGB").resize((width, GROUP_HEIGHT), Image.Resampling.LANCZOS))
    group = Image.new("RGB", (sum(tile.width + GAP for tile in tiles) + GAP, GROUP_HEIGHT + 2 * GAP), (246, 246, 244))
    starts = {}
    x = GAP
    for name, tile in zip(GROUP, tiles, strict=True):
        group.paste(tile, (x, GAP))
        starts[name] = x
        x += tile.width + GAP
    return group, starts


def main() -> None:
    console = Console()
    start = time.perf_counter()
    OUTPUT.mkdir(exist_ok=True)
    gallery_file = OUTPUT / "people.db"
    with sameface.Gallery(gallery_file) as people:
        for name in [person.name for person in people.people()]:
            people.forget(name)
        for name, photo in PORTRAITS.items():
            people.enroll(name, PHOTOS / photo)
        console.print(f"Enrolled {', '.join(PORTRAITS)}: one photo each, by {people.recognizer.space}.\n")

        claims = Table("photo", "is this …?", "distance", "τ", "answer", title="1:1 verification", title_justify="left")
        for name, photo in CLAIMS:
            answer = people.verify(name, PHOTOS / photo)
            said = "[green]same person[/]" if answer.same else "[red]not the same[/]"
            claims.add_row(photo, name, f"{answer.distance:.3f}", f"{answer.threshold:.3f}", said)
        console.print(claims)

        group, starts = compose_group()
        answers = people.identify(group)
        found = Table(
            "face from", "who", "distance", "τ(K)", "nearest", title="1:K identification", title_justify="left"
        )
        for one in answers:
            photo = max((name for name in GROUP if starts[name] <= one.box.x1), key=lambda name: starts[name])
            who = f"[green]{one.name}[/]" if one.name else "[yellow]nobody known[/]"
            nearest = one.candidates[0].name if one.candidates else "–"
            threshold = f"{one.threshold:.3f}" if one.threshold is not None else "–"
            found.add_row(photo, who, f"{one.distance:.3f}", threshold, nearest)
        console.print(found)

        picture = OUTPUT / "group.png"
        write_picture(annotate(sameface.load_image(group), face_labels(answers)), picture, "PNG")
    console.print(f"\nLook at {picture}. Done in {time.perf_counter() - start:.1f} s.")


if __name__ == "__main__":
    main()

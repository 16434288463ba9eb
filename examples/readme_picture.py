"""The picture of the README and of the first page: one person enrolled from one photo, and who is in four others."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

import sameface
from sameface.imaging.annotate import annotate
from sameface.recognizer.display import face_labels

ROOT = Path(__file__).parent.parent
PHOTOS = ROOT / "examples" / "photos"
SIDE, GAP = 420, 12
#: Photos that were not enrolled, and the part of each that is shown: left, top, side.
SHOWN = {
    "obama3.jpg": (250, 0, 1050),
    "biden.jpg": (150, 0, 800),
    "obama2.jpg": (0, 100, 620),
    "astronaut.png": (60, 0, 340),
}

with tempfile.TemporaryDirectory() as folder, sameface.Gallery(Path(folder) / "people.db") as people:
    people.enroll("Barack Obama", PHOTOS / "obama.jpg")
    row = Image.new("RGB", (len(SHOWN) * (SIDE + GAP) - GAP, SIDE), "white")
    for place, (name, (left, top, side)) in enumerate(SHOWN.items()):
        with Image.open(PHOTOS / name) as photo:
            part = photo.convert("RGB").crop((left, top, left + side, top + side)).resize((SIDE, SIDE))
        picture = sameface.load_image(part)
        named = annotate(picture, face_labels(people.identify(picture)))
        row.paste(Image.fromarray(named), (place * (SIDE + GAP), 0))
    row.save(ROOT / "docs" / "img" / "identify.jpg", quality=88, optimize=True)

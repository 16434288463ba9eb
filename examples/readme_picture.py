"""The picture of the README: Barack Obama, enrolled from one photo of 2012, named in another of 2010."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

import sameface
from sameface.imaging.annotate import annotate
from sameface.recognizer.display import face_labels

ROOT = Path(__file__).parent.parent
PHOTOS = ROOT / "examples" / "photos"

with tempfile.TemporaryDirectory() as folder, sameface.Gallery(Path(folder) / "people.db") as people:
    people.enroll("Barack Obama", PHOTOS / "obama.jpg")
    with Image.open(PHOTOS / "obama3.jpg") as photo:
        upper = sameface.load_image(photo.convert("RGB").crop((250, 0, 1300, 1050)).resize((700, 700)))
    named = annotate(upper, face_labels(people.identify(upper)))
    Image.fromarray(named).save(ROOT / "docs" / "img" / "identify.png", optimize=True)

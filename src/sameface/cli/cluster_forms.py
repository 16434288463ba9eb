"""An album as `sameface cluster` hands it to programs: JSON, and a table with a line for each face."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sameface.indexing.album import Album


def as_json(album: Album) -> dict[str, Any]:
    """The stable JSON form of an album: groups with their faces, without embeddings."""
    from sameface.recognizer.wire import rounded

    return {
        "space": album.space,
        "photos": len(album.photos),
        "faces": len(album.faces),
        "groups": [
            {
                "group": number,
                "name": album.names.get(number),
                "settled": any(face.settled for face in faces),
                "faces": [
                    {
                        "face": face.face_id,
                        "photo": face.photo,
                        "box": rounded(face.box),
                        "standing": face.standing,
                        "standing_reason": face.reason,
                    }
                    for face in faces
                ],
            }
            for number, faces in album.groups().items()
        ],
        "problems": {photo: state.problem for photo, state in album.photos.items() if state.problem},
    }


def write_csv(album: Album, path: Path) -> None:
    """Write the table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("group", "name", "face", "photo", "x1", "y1", "x2", "y2", "standing", "standing_reason"))
        for number, faces in album.groups().items():
            for face in faces:
                box = (f"{value:.1f}" for value in face.box.xyxy)
                rows.writerow(
                    (number, album.names.get(number, ""), face.face_id, face.photo, *box, face.standing, face.reason)
                )

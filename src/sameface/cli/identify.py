"""`sameface identify`: 1:K, one answer per face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import (
    DeviceOption,
    GalleryOption,
    JsonOption,
    PointOption,
    ThresholdOption,
)

if TYPE_CHECKING:
    from sameface.recognizer import Identification

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def identify(
    photos: Annotated[list[str], typer.Argument(help="Photos with any number of faces.")],
    gallery: GalleryOption = None,
    group: Annotated[
        str | None, typer.Option("--group", help="Search only people with this tag.", show_default=False)
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=1000, help="Nearest people to list for each face.")] = 3,
    fpir: Annotated[
        float, typer.Option(help="Share of unknown people that may be named wrongly; sets τ(K) for the gallery's size.")
    ] = 0.01,
    threshold: ThresholdOption = None,
    operating_point: PointOption = None,
    annotate: Annotated[
        Path | None,
        typer.Option(help="Write the photo with boxes, names and distances here (one photo).", show_default=False),
    ] = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Who is in this photo? One answer per face, in reading order: a name, or nobody.

    Exit code 0: somebody was named; 1: nobody was.
    """
    from sameface.cli.options import gallery_location, open_gallery
    from sameface.cli.output import note, print_json
    from sameface.errors import SettingError
    from sameface.recognizer.wire import IdentifiedPhoto

    if annotate is not None and len(photos) != 1:
        raise SettingError(
            expected="one photo with --annotate", got=str(len(photos)), advice="give one photo at a time"
        )
    note(f"gallery: {gallery_location(gallery)}")
    answers: dict[str, list[Identification]] = {}
    people = open_gallery(gallery, create=False, threshold=threshold, operating_point=operating_point, device=device)
    with people:
        for photo in photos:
            answers[photo] = people.identify(photo, candidates=candidates, group=group, fpir=fpir)
    if annotate is not None:
        _annotate(photos[0], answers[photos[0]], annotate)
        note(f"written: {annotate}")
    if json:
        print_json(
            [
                IdentifiedPhoto(photo=photo, faces=tuple(face.to_wire() for face in found))
                for photo, found in answers.items()
            ]
        )
    else:
        _print(answers)
    raise typer.Exit(0 if any(answer.name for found in answers.values() for answer in found) else 1)


def _annotate(photo: str, found: list[Identification], path: Path) -> None:
    from sameface.files import atomic_write
    from sameface.imaging import load_image
    from sameface.imaging.annotate import annotate, write_png
    from sameface.recognizer.display import face_labels

    picture = annotate(load_image(photo), face_labels(found))
    with atomic_write(path) as part:
        write_png(picture, part)


def _print(answers: dict[str, list[Identification]]) -> None:
    from sameface.cli.output import print_table

    rows = []
    for photo, found in answers.items():
        for number, answer in enumerate(found, 1):
            nearest = answer.candidates[0].name if answer.candidates else "–"
            rows.append(
                [
                    photo,
                    str(number),
                    answer.name or "nobody",
                    f"{answer.distance:.4f}" if answer.distance is not None else "–",
                    f"{answer.threshold:.4f}" if answer.threshold is not None else "–",
                    nearest,
                    answer.why,
                ]
            )
        if not found:
            rows.append([photo, "–", "no face found", "–", "–", "–", ""])
    print_table(("photo", "face", "who", "distance", "τ(K)", "nearest", "why"), rows)


APPS: Final = {"identify": app}

"""`sameface identify`: 1:K, one answer per face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from sameface.cli.options import (
    DeviceOption,
    GalleryOption,
    JsonOption,
    PointOption,
    ThresholdOption,
)

if TYPE_CHECKING:
    from sameface.errors import SamefaceError
    from sameface.recognizer import Identification


class Answer(NamedTuple):
    """What came of one photo: an answer for each face, or why there is none."""

    photo: str
    found: list[Identification]
    error: SamefaceError | None = None


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

    Exit code 0: somebody was named; 1: nobody was; that of the error where one of several photos could not be read.
    """
    from sameface.cli.options import gallery_location, open_gallery
    from sameface.cli.output import note, print_json
    from sameface.errors import FaceError, ImageError, SettingError, outcome_of
    from sameface.recognizer.wire import IdentifiedPhoto, problem

    if annotate is not None and len(photos) != 1:
        raise SettingError(
            expected="one photo with --annotate", got=str(len(photos)), advice="give one photo at a time"
        )
    note(f"gallery: {gallery_location(gallery)}")
    answers: list[Answer] = []
    people = open_gallery(gallery, create=False, threshold=threshold, operating_point=operating_point, device=device)
    with people:
        for photo in photos:
            try:
                answers.append(Answer(photo, people.identify(photo, candidates=candidates, group=group, fpir=fpir)))
            except (ImageError, FaceError) as error:  # of this photo alone
                if len(photos) == 1:
                    raise
                note(f"{photo}: {error}")
                answers.append(Answer(photo, [], error))
    if annotate is not None:
        _annotate(photos[0], answers[0].found, annotate)
        note(f"written: {annotate}")
    if json:
        print_json(
            [
                IdentifiedPhoto(
                    photo=item.photo,
                    faces=tuple(face.to_wire() for face in item.found),
                    error=problem(item.error) if item.error else None,
                )
                for item in answers
            ]
        )
    else:
        _print(answers)
    failed = next((item.error for item in answers if item.error), None)
    if failed is not None:
        raise typer.Exit(outcome_of(type(failed)).exit_code)
    raise typer.Exit(0 if any(face.name for item in answers for face in item.found) else 1)


def _annotate(photo: str, found: list[Identification], path: Path) -> None:
    from sameface.files import atomic_write
    from sameface.imaging import load_image
    from sameface.imaging.annotate import annotate, write_png
    from sameface.recognizer.display import face_labels

    picture = annotate(load_image(photo), face_labels(found))
    with atomic_write(path) as part:
        write_png(picture, part)


def _print(answers: list[Answer]) -> None:
    from sameface.cli.output import print_table

    rows = []
    for photo, found, error in answers:
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
            rows.append([photo, "–", "not read" if error else "no face found", "–", "–", "–", ""])
    print_table(("photo", "face", "who", "distance", "τ(K)", "nearest", "why"), rows)


APPS: Final = {"identify": app}

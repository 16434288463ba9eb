"""`sameface enroll`: one photo makes a person known; a folder of folders enrolls a whole tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import (
    ChooseOption,
    DetectorOption,
    DeviceOption,
    EncoderOption,
    GalleryOption,
    JsonOption,
)

if TYPE_CHECKING:
    from sameface.recognizer.wire import Enrollment

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def enroll(
    name: Annotated[str, typer.Argument(help="The person's name; or, alone, a folder that holds a folder per person.")],
    photos: Annotated[list[str] | None, typer.Argument(help="One photo or more of that person.")] = None,
    gallery: GalleryOption = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="A tag to search within; may be repeated.")] = None,
    detail: Annotated[
        list[str] | None, typer.Option("--detail", help="Free text to keep: key=value; may be repeated.")
    ] = None,
    review: Annotated[str, typer.Option(help="How much to ask of a photo: off, standard, strict.")] = "standard",
    choose: ChooseOption = "only",
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Make a person known by one photo or more. Nothing is retrained.

    `sameface enroll Ada ada.jpg` enrolls one person; `sameface enroll photos/` a tree with one folder per person.
    """
    from sameface.cli.options import gallery_location, open_gallery
    from sameface.cli.output import note, print_json, progress
    from sameface.errors import FaceError, ImageError, PersonError
    from sameface.faces.choose import as_choice
    from sameface.recognizer.review import as_review
    from sameface.recognizer.wire import Enrollment, problem

    details = _details(detail or [])
    jobs = [(name, list(photos))] if photos else _people_of(Path(name))
    note(f"gallery: {gallery_location(gallery)}")
    results: list[Enrollment] = []
    refused = 0
    with (
        open_gallery(gallery, create=True, encoder=encoder, detector=detector, device=device) as people,
        progress("enrolling", len(jobs)) as advance,
    ):
        for person, files in jobs:
            try:
                done = people.enroll(
                    person,
                    files,
                    details=details,
                    groups=group or (),
                    choose=as_choice(choose),
                    review=as_review(review),
                )
            # Of this person; anything else, a full disk say, concerns all that follow.
            except (FaceError, ImageError, PersonError) as error:
                if len(jobs) == 1:
                    raise
                refused += 1
                fault = problem(error)
                results.append(Enrollment(name=person, person=None, accepted=0, reports=fault.reports, error=fault))
            else:
                results.append(done.to_wire())
            advance()
    if json:
        print_json(results)
    else:
        _print(results)
    raise typer.Exit(1 if refused else 0)


def _details(pairs: list[str]) -> dict[str, str]:
    from sameface.errors import SettingError

    for pair in pairs:
        if "=" not in pair:
            raise SettingError(expected="a detail as key=value", got=repr(pair), advice="write --detail key=value")
    return dict(pair.split("=", 1) for pair in pairs)


def _people_of(folder: Path) -> list[tuple[str, list[str]]]:
    """The people of a tree: each subfolder's name, and the files in it."""
    from sameface.errors import DataError

    if not folder.is_dir():
        raise DataError(
            expected="a name and a photo, or a folder that holds a folder per person",
            got=f"{str(folder)!r} alone",
            advice="write `sameface enroll NAME PHOTO`",
        )
    people = [
        (entry.name, sorted(str(file) for file in entry.iterdir() if file.is_file() and not file.name.startswith(".")))
        for entry in sorted(folder.iterdir())
        if entry.is_dir()
    ]
    people = [(person, files) for person, files in people if files]
    if not people:
        raise DataError(
            expected="a folder that holds a folder of photos per person",
            got=f"none in {str(folder)!r}",
            advice="put each person's photos into a folder with the person's name",
        )
    return people


def _print(results: list[Enrollment]) -> None:
    from sameface.cli.output import print_table

    rows = []
    for result in results:
        if result.error is not None:
            rows.append([result.name, "", "refused", "", result.error.detail])
        rows.extend(
            [
                result.name,
                report.photo,
                report.reason,
                f"{report.quality:.2f}" if report.quality is not None else "–",
                report.detail,
            ]
            for report in result.reports
        )
    print_table(("person", "photo", "outcome", "quality", ""), rows)


APPS: Final = {"enroll": app}

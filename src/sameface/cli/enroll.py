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
    from sameface.errors import SamefaceError
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
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Of a tree: say what became of every photo.")
    ] = False,
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
    choice, asked = as_choice(choose), as_review(review)
    jobs, left_out = ([(name, list(photos))], []) if photos else _people_of(Path(name))
    note(f"gallery: {gallery_location(gallery)}")
    results = [
        Enrollment(name=who, person=None, accepted=0, reports=(), error=problem(error)) for who, error in left_out
    ]
    refused = len(left_out)
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
                    choose=choice,
                    review=asked,
                )
            # Of this person; anything else, a full disk say, concerns all that follow.
            except (FaceError, ImageError, PersonError) as error:
                if len(jobs) == 1 and not left_out:
                    raise
                refused += 1
                fault = problem(error)
                results.append(Enrollment(name=person, person=None, accepted=0, reports=fault.reports, error=fault))
            else:
                results.append(done.to_wire())
            advance()
    if json:
        print_json(results)
    elif photos:
        _print(results[0])
    else:
        _summarise(results, verbose)
    raise typer.Exit(1 if refused else 0)


def _details(pairs: list[str]) -> dict[str, str]:
    from sameface.errors import SettingError

    for pair in pairs:
        if "=" not in pair:
            raise SettingError(expected="a detail as key=value", got=repr(pair), advice="write --detail key=value")
    return dict(pair.split("=", 1) for pair in pairs)


def _people_of(folder: Path) -> tuple[list[tuple[str, list[str]]], list[tuple[str, SamefaceError]]]:
    """The people of a tree with their photos, and the folders that nobody is made of, each with the reason."""
    from sameface.cli.output import note
    from sameface.datasets.tree import read_tree
    from sameface.errors import DataError
    from sameface.files import path_as_text

    if not folder.is_dir():
        raise DataError(
            expected="a name and a photo, or a folder that holds a folder per person",
            got=f"{path_as_text(folder)!r} alone",
            advice="write `sameface enroll NAME PHOTO`",
        )
    tree = read_tree(folder)
    for item in tree.skipped:
        person = path_as_text(item.path.relative_to(folder).parts[0])
        if person in tree.people and item.path.is_file():  # looked at all the same, so that its report says what it is
            tree.people[person].append(item.path)
        else:
            note(f"passed over: {path_as_text(item.path)}: {item.reason}")
    for place in tree.empty:
        note(f"passed over: {path_as_text(place)}: no photo in the folder")
    refused = [(person, "photos only in folders inside: one person, or a folder of people?") for person in tree.deep]
    refused += [(item.path, item.reason) for item in tree.skipped if item.lost]
    errors: list[tuple[str, SamefaceError]] = [
        (
            path_as_text(place.name),
            DataError(
                expected="photos in a person's folder",
                got=f"{path_as_text(place)}: {why}",
                advice="put the person's photos into the folder, or remove it",
            ),
        )
        for place, why in refused
    ]
    if not tree.people:
        raise DataError(
            expected="a folder that holds a folder of photos per person",
            got=f"none in {path_as_text(folder)!r}" + "".join(f"; {error.got}" for _, error in errors[:3]),
            advice="put each person's photos into a folder with the person's name",
        )
    return [(person, [str(photo) for photo in photos]) for person, photos in tree.people.items()], errors


def _print(result: Enrollment) -> None:
    """One person: a line a photo, and below what is to be said about some."""
    from sameface.cli.output import print_line, print_table

    print_table(
        ("person", "photo", "outcome", "quality"),
        (
            [
                result.name,
                report.photo,
                report.reason,
                f"{report.quality:.2f}" if report.quality is not None else "–",
            ]
            for report in result.reports
        ),
        unfolded=True,
    )
    for report in result.reports:
        if report.detail:
            print_line(f"{report.photo}: {report.detail}")


def _summarise(results: list[Enrollment], verbose: bool) -> None:
    """A tree: a line a person, then what was left out and why."""
    from sameface.cli.output import plural, print_line, print_table

    print_table(
        ("person", "photos", "stored"),
        ([result.name, str(len(result.reports)), str(result.accepted)] for result in results),
        unfolded=True,
    )
    for result in results:
        if result.error is not None:
            print_line(f"{result.name}: {result.error.detail}")
        for report in result.reports:
            if verbose or not report.accepted:
                print_line(
                    f"{result.name}: {report.photo}: {report.reason}{f': {report.detail}' if verbose and report.detail else ''}"
                )
    people = sum(result.error is None for result in results)
    photos = sum(result.accepted for result in results)
    refused = f", {len(results) - people} refused" if people < len(results) else ""
    print_line(f"{plural(people, 'person', 'people')} enrolled{refused}; {plural(photos, 'photo')} stored")


APPS: Final = {"enroll": app}

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
    from sameface.types import Consent

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def enroll(
    name: Annotated[str, typer.Argument(help="The person's name; or, alone, a folder that holds a folder per person.")],
    photos: Annotated[list[str] | None, typer.Argument(help="Photos of that person, or folders of them.")] = None,
    gallery: GalleryOption = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="A tag to search within; may be repeated.")] = None,
    detail: Annotated[
        list[str] | None, typer.Option("--detail", help="Free text to keep: key=value; may be repeated.")
    ] = None,
    consent: Annotated[
        str, typer.Option("--consent", help="What they agreed to, in words: given now.", show_default=False)
    ] = "",
    evidence: Annotated[
        str, typer.Option("--evidence", help="With --consent: where its proof lies.", show_default=False)
    ] = "",
    keep: Annotated[
        str,
        typer.Option("--keep", help="Until when to keep them: 90d, or a last day like 2027-12-31.", show_default=False),
    ] = "",
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
    from sameface.cli.moments import end_of
    from sameface.cli.options import gallery_location, open_gallery, photos_of, ready_to_search
    from sameface.cli.output import note, print_json, progress
    from sameface.faces.choose import as_choice
    from sameface.recognizer import NotEnrolled
    from sameface.recognizer.bulk import enroll_each
    from sameface.recognizer.near_names import alike
    from sameface.recognizer.review import as_review
    from sameface.recognizer.roster import roster_of

    details, agreed, end = _details(detail or []), _consent(consent, evidence), end_of(keep)
    choice, asked = as_choice(choose), as_review(review)
    roster = roster_of({name: photos_of(photos)} if photos else Path(name))
    for item in roster.passed_over:
        note(f"passed over: {item}")
    note(f"gallery: {gallery_location(gallery)}")
    alone = len(roster.people) == 1 and not roster.refused
    results, refused = [], 0
    with (
        ready_to_search(
            open_gallery(gallery, create=True, encoder=encoder, detector=detector, device=device)
        ) as people,
        progress("enrolling", len(roster.people)) as advance,
    ):
        for new, other in alike(people, roster.people):
            note(f"{new} and {other} are two people here; where they are one, `sameface people merge` joins them")
        for done in enroll_each(
            people,
            roster,
            details=details,
            groups=group or (),
            consent=agreed,
            keep_until=end,
            choose=choice,
            review=asked,
        ):
            if isinstance(done, NotEnrolled):
                if alone:
                    raise done.error
                refused += 1
            results.append(done.to_wire())
            advance()
    if json:
        print_json(results)
    elif photos:
        _print(results[0])
    else:
        _summarise(results, verbose)
    raise typer.Exit(1 if refused else 0)


def _consent(purpose: str, evidence: str) -> Consent | None:
    from sameface.errors import SettingError
    from sameface.gallery import now
    from sameface.types import Consent

    if evidence and not purpose:
        raise SettingError(expected="--consent with --evidence", got="no consent", advice="say what they agreed to")
    return Consent(purpose, now(), evidence=evidence) if purpose else None


def _details(pairs: list[str]) -> dict[str, str]:
    from sameface.errors import SettingError

    for pair in pairs:
        if "=" not in pair:
            raise SettingError(expected="a detail as key=value", got=repr(pair), advice="write --detail key=value")
    return dict(pair.split("=", 1) for pair in pairs)


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
        shorten=("photo",),
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
                # "unreadable" alone would leave one to guess: a missing extra is mended in a minute.
                why = report.detail if verbose or report.reason == "unreadable" else ""
                print_line(f"{result.name}: {report.photo}: {report.reason}{f': {why}' if why else ''}")
    refused = sum(result.error is not None for result in results)
    unchanged = sum(result.error is None and not result.accepted for result in results)
    photos = sum(result.accepted for result in results)
    said = f"{plural(len(results) - refused - unchanged, 'person', 'people')} enrolled"
    said += f", {unchanged} known already" if unchanged else ""
    said += f", {refused} refused" if refused else ""
    print_line(f"{said}; {plural(photos, 'photo')} stored")


APPS: Final = {"enroll": app}

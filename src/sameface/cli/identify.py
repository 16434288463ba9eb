"""`sameface identify`: 1:K, one answer per face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import (
    DetectorOption,
    DeviceOption,
    EncoderOption,
    ForceOption,
    GalleryOption,
    JsonOption,
    PointOption,
    ThresholdOption,
    known_groups,
)
from sameface.cli.overwriting import OverwriteOption
from sameface.defaults import DEFAULT_FPIR

if TYPE_CHECKING:
    from sameface.errors import SamefaceError
    from sameface.recognizer import Identification, IdentifiedPhoto

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def identify(
    photos: Annotated[
        list[str], typer.Argument(help="Photos with any number of faces, or folders of them.", metavar="PHOTO")
    ],
    gallery: GalleryOption = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", help="Search only people with this tag.", show_default=False, autocompletion=known_groups
        ),
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=1000, help="Nearest people to list for each face.")] = 3,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    fpir: Annotated[
        float, typer.Option(help="Share of unknown people that may be named wrongly; sets τ(K) for the gallery's size.")
    ] = DEFAULT_FPIR,
    threshold: ThresholdOption = None,
    operating_point: PointOption = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            help="Write the one photo with boxes, names and distances here: .jpg, .png, .webp.", show_default=False
        ),
    ] = None,
    force: ForceOption = False,
    overwrite: OverwriteOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what decided, and who else is near.")] = False,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Who is in this photo? One answer per face, in reading order: a name, or nobody.

    Exit code 0: somebody was named; 1: nobody was. Of several photos, those that cannot be read are reported and the others
    answered; the exit code is then the first error's.
    """
    from sameface.cli.options import gallery_location, open_gallery, photos_of, ready_to_search
    from sameface.cli.output import note, print_json, progress
    from sameface.cli.overwriting import new_file
    from sameface.errors import SettingError, outcome_of
    from sameface.imaging.annotate import picture_kind
    from sameface.matching import false_match_rate_for

    false_match_rate_for(fpir, 1)  # one that cannot be meant is said before any work
    listed = photos_of(photos)
    if annotate is not None:
        if len(listed) != 1:
            raise SettingError(
                expected="one photo with --annotate", got=str(len(listed)), advice="give one photo at a time"
            )
        new_file(annotate, overwrite=overwrite, sources=listed)
        picture_kind(annotate)
    note(f"gallery: {gallery_location(gallery)}")
    answers: list[IdentifiedPhoto] = []
    failed: SamefaceError | None = None
    people = open_gallery(
        gallery,
        create=False,
        encoder=encoder,
        detector=detector,
        threshold=threshold,
        operating_point=operating_point,
        device=device,
    )
    with ready_to_search(people), progress("photos", len(listed)) as advance:
        for answer in people.identify_many(listed, candidates=candidates, group=group, fpir=fpir, force=force):
            if answer.error is not None:
                if len(listed) == 1:
                    raise answer.error
                note(f"{answer.photo}: {answer.error}")
                failed = failed or answer.error
            answers.append(answer)
            advance()
    if annotate is not None:
        _annotate(listed[0], answers[0].faces, annotate)
        note(f"written: {annotate}")
    if json:
        print_json([answer.to_wire() for answer in answers])
    else:
        _print(answers, verbose)
        unsure = next((face.why for item in answers for face in item.faces if face.threshold is None), "")
        if unsure and not verbose:
            note(f"nobody is named: {unsure}; calibrate on more people, or give --threshold")
    if failed is not None:
        raise typer.Exit(outcome_of(type(failed)).exit_code)
    raise typer.Exit(0 if any(answer.names for answer in answers) else 1)


def _annotate(photo: str, found: Sequence[Identification], path: Path) -> None:
    from sameface.files import atomic_write
    from sameface.imaging import load_image
    from sameface.imaging.annotate import annotate, picture_kind, write_picture
    from sameface.recognizer.display import face_labels

    picture = annotate(load_image(photo), face_labels(found))
    with atomic_write(path) as part:
        write_picture(picture, part, picture_kind(path))


def _print(answers: Sequence[IdentifiedPhoto], verbose: bool) -> None:
    """A line per face; with the reasons where they are asked for. What speaks against a face is said beside the answers."""
    from sameface.cli.output import note, print_line, print_table
    from sameface.recognizer.words import standing_words

    rows: list[list[str]] = []
    for item in answers:
        photo, found = item.photo, item.faces
        if item.error is not None:
            rows.append([photo, "", "not read", "", "–"])
            continue
        for number, answer in enumerate(found, 1):
            if answer.standing in ("poor", "outside") or (verbose and answer.standing != "usual"):
                reason = answer.standing_reason if verbose else answer.standing_reason.partition(":")[0]
                note(f"{photo}, face {number}: {standing_words(answer.standing, reason)}")
        if verbose:
            print_line(f"{photo}: {'no face found' if not found else ''}".rstrip(": ") + (":" if found else ""))
            for number, answer in enumerate(found, 1):
                print_line(f"  {number}. {answer.name or 'nobody'}: {answer.why}")
                near = ", ".join(f"{person.name} {person.distance:.3f}" for person in answer.candidates)
                print_line(f"     nearest: {near or '–'}")
            continue
        rows.extend(
            [
                photo,
                str(number),
                answer.name or "nobody",
                _nearest(answer),
                f"{answer.distance:.3f}" if answer.distance is not None else "–",
            ]
            for number, answer in enumerate(found, 1)
        )
        if not found:
            rows.append([photo, "", "no face found", "", "–"])
    if not rows:
        return
    # A column without a word in it says nothing.
    shown = [
        0,
        *([1] if any(len(item.faces) > 1 for item in answers) else ()),
        2,
        *([3] if any(row[3] for row in rows) else ()),
        4,
    ]
    columns = ("photo", "face", "who", "nearest", "distance")
    print_table(
        [columns[place] for place in shown],
        [[row[place] for place in shown] for row in rows],
        unfolded=True,
        shorten=("photo",),
    )


def _nearest(answer: Identification) -> str:
    """Who is nearest, where the data support no claim and somebody has to judge; "" where the answer says all."""
    return (
        answer.candidates[0].name
        if answer.threshold is None and answer.standing != "outside" and answer.candidates
        else ""
    )


APPS: Final = {"identify": app}

"""`sameface verify`: 1:1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import (
    ByIdOption,
    ChooseOption,
    DetectorOption,
    DeviceOption,
    EncoderOption,
    ForceOption,
    GalleryOption,
    JsonOption,
    PointOption,
    ThresholdOption,
    known_names,
)

if TYPE_CHECKING:
    from sameface.recognizer import Verification

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def verify(
    photos: Annotated[list[str], typer.Argument(help="Two photos; or one, with --as.", metavar="PHOTO")],
    claimed: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="The enrolled person that the photo is said to show.",
            show_default=False,
            autocompletion=known_names,
        ),
    ] = None,
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    threshold: ThresholdOption = None,
    operating_point: PointOption = None,
    choose: ChooseOption = "only",
    force: ForceOption = False,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Are two photos the same person? With --as: is this the claimed person?

    Exit code 0: same; 1: not the same; 2 and up: no answer, with the reason.
    """
    from sameface.cli.options import gallery_location, make_recognizer, meant, open_gallery
    from sameface.cli.output import note, print_json
    from sameface.errors import SettingError
    from sameface.faces.choose import as_choice

    wanted = 2 if claimed is None else 1
    if len(photos) != wanted:
        raise SettingError(
            expected="two photos, or one photo and --as NAME",
            got=f"{len(photos)} photo{'s' if len(photos) != 1 else ''}{' and --as' if claimed is not None else ''}",
            advice="see `sameface verify --help`",
        )
    if claimed is None:
        recognizer = make_recognizer(encoder, detector, threshold, operating_point, device)
        answer = recognizer.verify(photos[0], photos[1], as_choice(choose), force=force)
    else:
        note(f"gallery: {gallery_location(gallery)}")
        people = open_gallery(
            gallery,
            create=False,
            encoder=encoder,
            detector=detector,
            threshold=threshold,
            operating_point=operating_point,
            device=device,
        )
        with people:
            person = people.person(meant(claimed, by_id))
            answer = people.verify(person, photos[0], as_choice(choose), force=force)
    if json:
        print_json(answer.to_wire())
    else:
        _print(answer)
    raise typer.Exit(0 if answer.same else 1)


def _print(answer: Verification) -> None:
    from sameface.cli.output import print_line
    from sameface.recognizer.words import standing_words

    point = answer.operating_point
    who = f" as {answer.claimed.name}" if answer.claimed else ""
    sign = "<" if answer.same else "≥"
    print_line(f"{'same person' if answer.same else 'not the same person'}{who}")
    print_line(f"distance     {answer.distance:.4f} {sign} τ {answer.threshold:.4f}")
    print_line(f"probability  {_probability(answer)}")
    if answer.standing != "usual":
        print_line(f"standing     {standing_words(answer.standing, answer.standing_reason)}")
    print_line(f"τ from       {point.target}{f', measured on {point.data}' if point.data else ''}")
    print_line(f"by           {point.space}")


def _probability(answer: Verification) -> str:
    """The probability with the prior that it assumes."""
    from sameface.recognizer.words import probability_words

    calibration = answer.operating_point.probability
    if calibration is None:
        return "none: not calibrated"
    if answer.probability is None:
        return "none: it was calibrated on better photos"
    return f"{probability_words(answer.probability)} (if {calibration.prior:.0%} of all pairs show one person)"


APPS: Final = {"verify": app}
